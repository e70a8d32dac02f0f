"""One module per tool: how its project is laid out, and which command brings a database up to date."""
