"""Known drift, accepted by a person: a committed TOML file beside the lock file, by fact and by the value found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from trueup.decide.model import Difference
from trueup.errors import UsageError

ACCEPTED_NAME = "trueup.accepted.toml"
_MEND = "Mend it, or remove it and run `trueup accept` again."


def split_accepted(folder: Path, drift: Sequence[Difference]) -> tuple[list[Difference], list[Difference]]:
    """(what still counts as drift, what was accepted). A fact whose value has changed since is drift again."""
    known = {(entry["fact"], entry.get("found")) for entry in _entries(folder)}
    accepted = [d for d in drift if (d.fact, d.found) in known]
    return [d for d in drift if (d.fact, d.found) not in known], accepted


def accept(folder: Path, differences: Sequence[Difference], because: str) -> Path:
    """Add differences to the file, with the reason; the file's path."""
    path = folder / ACCEPTED_NAME
    known = {entry["fact"]: entry for entry in _entries(folder)}
    for difference in differences:
        known[difference.fact] = {"fact": difference.fact, "because": because}
        if difference.found is not None:
            known[difference.fact]["found"] = difference.found
    lines = ["# Differences from the chain that are known and wanted. Written by `trueup accept`."]
    for fact in sorted(known):
        lines.append("\n[[accept]]")
        # a JSON string is a TOML basic string
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in known[fact].items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def _entries(folder: Path) -> list[dict[str, str]]:
    path = folder / ACCEPTED_NAME
    if not path.is_file():
        return []
    import tomllib  # most chains have no such file

    try:
        entries = tomllib.loads(path.read_text()).get("accept", [])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint=_MEND) from None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "fact" in e for e in entries):
        raise UsageError(f"{path}: an entry without its fact", hint=_MEND)
    return entries
