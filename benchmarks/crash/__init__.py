"""Kill runs, servers and poolers at every statement, and see whether the next run, or the same one, brings it true."""
