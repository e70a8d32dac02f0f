"""Statements run in batches: keyset ranges, a position that is kept with each batch, throttles, a say from outside."""
