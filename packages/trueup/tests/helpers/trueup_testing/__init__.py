"""What the tests of trueup share: servers and databases, chains, the command, and an independent look at schemas."""
