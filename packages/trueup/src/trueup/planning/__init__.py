"""Verdicts turned into the statements that will be sent. No I/O."""
