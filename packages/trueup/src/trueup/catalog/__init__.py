"""What a live database has: facts, read off the catalog and rendered back to DDL."""
