"""`python -m prosaas` is `prosaas`."""

from prosaas.cli import main

main()
