"""The command `trueup`. Where there is nothing to do it is over before the command-line library is imported."""

from __future__ import annotations

import atexit
import gc
import sys

_COLLECT_EVERY = 500_000  # objects; after 700, as is usual, Python would look through everything dozens of times


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with the codes of `trueup.errors`."""
    if arguments is None:  # the process is ours
        arguments = sys.argv[1:]
        gc.set_threshold(_COLLECT_EVERY)
        atexit.register(gc.freeze)  # nor is there anything to look for at the very end
    from trueup.cli import quick  # imports are a third of what collecting costs

    if quick.up(arguments):
        return
    from trueup.cli.app import run

    run(arguments)
