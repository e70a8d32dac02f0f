"""Where a database stands in a chain, and what each step needs. Pure functions over facts; no I/O."""
