"""What looking and deciding cost, as numbers."""
