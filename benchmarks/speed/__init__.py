"""How fast trueup is, beside other migration tools, on the same chain and the same server.

`python -m benchmarks.speed` measures; `benchmarks/README.md` says what is measured and how.
"""
