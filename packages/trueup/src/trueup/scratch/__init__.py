"""A throw-away PostgreSQL on which a chain is replayed to learn what each step does."""
