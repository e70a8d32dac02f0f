"""`prosaas up`: everything on one machine, in the foreground."""
