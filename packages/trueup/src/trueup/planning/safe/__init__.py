"""Safe forms: what is written, as parts that nobody feels. Pure functions, one module per family.

A form has four stages. What comes *first* only adds columns. What is *before* prepares, with weak locks: indexes built
CONCURRENTLY, helpers validated. The *switch* takes the strong lock, for an instant. What comes *after* validates, with
weak locks again.
"""
