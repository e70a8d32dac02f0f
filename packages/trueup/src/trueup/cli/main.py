"""The command `trueup`. Where there is nothing to do it is over before the command-line library is imported."""

from __future__ import annotations

import sys

from trueup.cli import quick


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with the codes of `trueup.errors`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if quick.up(arguments):
        return
    from trueup.cli.app import run

    run(arguments)
