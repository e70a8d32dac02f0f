"""Which workers are alive: rows that they write and others read."""
