"""Steps as the lock file records them: where the files are unchanged, a run need not parse what was parsed at `lock`.

A statement is recorded as its place in its file, `[start, length, line]`, in characters; one that is sent
in another form than it was written in has its text instead of the start and no length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trueup.chain.files import MigrationFile
from trueup.chain.model import Allowed, Batches, Step

_ELSEWHERE = ("id", "hash", "migration", "number", "path", "repeatable", "statements", "line", "lines")
_DEFAULTS = {name: Step._field_defaults.get(name) for name in Step._fields if name not in _ELSEWHERE} | {
    "guarded": True
}  # as all steps without data are
_READ: Mapping[str, Callable[[Any], Any]] = {
    "allowed": lambda value: tuple(Allowed(**one) for one in value),
    "backfill": lambda value: Batches(**{**value, "columns": tuple(value["columns"])}),
}


def records(steps: Iterable[Step], files: Sequence[MigrationFile]) -> dict[str, dict[str, Any]]:
    """What the lock file says of each step, by id."""
    places = {file.path: (place, file.text) for place, file in enumerate(files)}
    return {step.id: _record(step, *places[step.path]) for step in steps}


def recall(entries: Sequence[Mapping[str, Any]], files: Sequence[MigrationFile]) -> tuple[Step, ...] | None:
    """The steps of a chain whose files are as they were at `lock`; None where the lock file does not have them."""
    texts = [file.text for file in files]
    if not all("step" in entry for entry in entries):
        return None
    return tuple(_recalled(entry, files[at := entry["step"]["file"]], texts[at]) for entry in entries)


def _record(step: Step, file: int, text: str) -> dict[str, Any]:
    told = {name: getattr(step, name) for name, default in _DEFAULTS.items() if getattr(step, name) != default}
    for name in _READ.keys() & told.keys():
        told[name] = told[name]._asdict() if name == "backfill" else [one._asdict() for one in told[name]]
    places = []
    after = 0
    for statement, line in zip(step.statements, step.lines, strict=True):
        start = text.find(statement, after)
        places.append([statement, 0, line] if start < 0 else [start, len(statement), line])
        after = after if start < 0 else start + len(statement)
    return {"file": file, **told, "statements": places}


def _recalled(entry: Mapping[str, Any], file: MigrationFile, text: str) -> Step:
    places = entry["step"]["statements"]
    told = {name: _value(name, value) for name, value in entry["step"].items() if name not in ("file", "statements")}
    return Step(
        id=entry["id"],
        hash=entry["hash"],
        migration=file.name,
        number=file.short_number,
        path=file.path,
        repeatable=file.repeatable,
        statements=tuple(at if isinstance(at, str) else text[at : at + length] for at, length, _ in places),
        line=places[0][2],
        lines=tuple(line for _, _, line in places),
        **{"guarded": True, **told},
    )


def _value(name: str, value: Any) -> Any:
    if name in _READ:
        return _READ[name](value)
    return tuple(value) if isinstance(value, list) else value
