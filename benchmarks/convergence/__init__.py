"""Does `trueup up` end in the chain's own schema, from any state? Judged by `pg_dump` and row counts.

Run `python -m benchmarks.convergence CHAIN_DIR...`; see `README.md` in this folder.
"""
