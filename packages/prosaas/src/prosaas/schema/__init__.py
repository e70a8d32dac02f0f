"""The schema: which chains make it, bringing it true, and whether it is."""
