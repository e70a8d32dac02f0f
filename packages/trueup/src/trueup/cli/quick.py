"""The shortest way: a plain `trueup up`, which needs no command-line library.

Where nothing is to be done, as most deployments end, it does not import the engine either. Whatever it does not
understand, it leaves to the long way.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from trueup import api
from trueup.connect.urls import Urls, urls_from
from trueup.errors import TrueupError

_ELSEWHERE = ("TRUEUP_NAME", "TRUEUP_HEAL")  # settings that ask another question
_NO_SETTINGS = ("TRUEUP_MIGRATIONS", "TRUEUP_PG_BIN", "TRUEUP_TRACEBACK")
_VALUES = {"--migrations": "migrations", "--database-url": "database_url"}


def up(arguments: list[str]) -> bool:
    """True where the database was found true, and everything was said; does not return where it brought it true.

    Raises:
        SystemExit: the run is over.
    """
    started = time.monotonic()
    wanted = _parse(arguments)
    if wanted is None or any(os.environ.get(name) for name in _ELSEWHERE):
        return False
    folder = Path(wanted.get("migrations") or os.environ.get("TRUEUP_MIGRATIONS") or "migrations")
    if any((place / "trueup.toml").exists() for place in (Path(), folder, folder.parent)):
        return False
    as_json = "--json" in arguments
    try:
        urls = urls_from(wanted.get("database_url", ""))
        report = api.look(urls, folder, "")
    except (TrueupError, OSError):
        return False  # the long way says it with a hint
    if report is None and not any(name.startswith("TRUEUP_") and name not in _NO_SETTINGS for name in os.environ):
        _bring(urls, folder, as_json=as_json)
    if report is None or not report.true:
        return False
    report.ms = (time.monotonic() - started) * 1000
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False) + "\n")
    else:
        from trueup.cli.output import show_conclusion

        show_conclusion(report)
    return True


def _bring(urls: Urls, folder: Path, *, as_json: bool) -> NoReturn:
    from trueup.cli.bring import bring
    from trueup.cli.ending import ended

    def work() -> int:
        bring(urls, folder, as_json=as_json)
        return 0

    ended(work, as_json=as_json)


def _parse(arguments: list[str]) -> dict[str, str] | None:
    """The options of a plain `up`; None where there is anything else."""
    found: dict[str, str] = {}
    commands: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, _, value = argument.partition("=")
        if name in _VALUES:
            found[_VALUES[name]] = value or next(rest, "")
        elif argument != "--json":
            commands.append(argument)
    return found if commands == ["up"] else None
