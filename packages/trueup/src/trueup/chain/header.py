"""The lock file's first line: whether it fits its migrations is known from it and the files' bytes alone.

Light on purpose: a run that finds nothing to do reads no more than this.
"""

from __future__ import annotations

import re
from pathlib import Path

from trueup.errors import LockFileError

LOCK_NAME = "trueup.lock"
FORMAT = "2"  # 2: with what each step rewrote and scanned
_HEADER = re.compile(
    r"^trueup\.lock (?P<format>\S+) files=(?P<files>\w+) chain=(?P<chain>\S+)"
    r" grammar=(?P<grammar>\S+) scratch=(?P<scratch>\d+)$",
)
RELOCK = "Run `trueup lock` and commit trueup.lock with the migrations."


def lock_path(folder: Path | str) -> Path:
    """The lock file lies beside the migrations."""
    return Path(folder) / LOCK_NAME


def read_header(folder: Path | str) -> dict[str, str]:
    """The first line's fields: format, files, chain, grammar, scratch.

    Raises:
        LockFileError: there is no lock file, or its first line is not one.
    """
    path = lock_path(folder)
    try:
        with path.open() as file:
            line = file.readline()
    except FileNotFoundError:
        raise LockFileError(f"no lock file at {path}", hint=RELOCK) from None
    match = _HEADER.match(line.rstrip("\n"))
    if match is None:
        raise LockFileError(f"{path} is not a lock file", hint=RELOCK)
    if match["format"] != FORMAT:
        raise LockFileError(
            f"{path} has format {match['format']}, and this version of trueup reads format {FORMAT}", hint=RELOCK
        )
    return match.groupdict()
