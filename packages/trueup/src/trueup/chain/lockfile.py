"""`trueup.lock`: every step's hash and effect, one line per step, so that production needs no scratch server.

The first line bears one digest over the files' bytes: whether the lock file fits its chain is known without parsing
anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trueup.chain.files import read_files
from trueup.chain.header import FORMAT, LOCK_NAME, RELOCK, lock_path, read_header
from trueup.chain.model import Chain, Effect, LockedChain
from trueup.chain.recorded import records
from trueup.errors import LockFileError


def write_lock(locked: LockedChain, *, grammar: str) -> str:
    """The lock file's text."""
    chain = locked.chain
    told = records(chain.steps, read_files(Path(chain.folder)))
    lines = [
        (
            f"{LOCK_NAME} {FORMAT} files={chain.digest} chain={chain.name}"
            f" grammar={grammar} scratch={locked.scratch_major}"
        ),
        _line({"base": dict(sorted(locked.base.items()))}),
    ]
    for step, effect in zip(chain.steps, locked.effects, strict=True):
        entry = {"id": step.id, "hash": step.hash, "step": told[step.id]}
        lines.append(_line(entry | _given(members_of(effect))))
    return "\n".join(lines) + "\n"


def members_of(effect: Effect) -> dict[str, Any]:
    """What was learnt of a step, by the names that it has in the lock file."""
    return {
        "set": dict(effect.set),
        "gone": effect.gone,
        "locks": dict(effect.locks),
        "rewritten": effect.rewritten,
        "scanned": effect.scanned,
        "texts": dict(effect.texts),
        "parts": [_part(part, effect) for part in effect.parts],
    }


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """What is empty is not written."""
    return {name: value for name, value in members.items() if value}


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


LockEntries = tuple[dict[str, str], list[dict[str, Any]]]
"""Base facts, and one entry per step."""


def read_entries(folder: Path | str) -> LockEntries:
    """(base facts, one entry per step) as they stand in the lock file, whether or not they fit the chain."""
    read_header(folder)
    path = lock_path(folder)
    with path.open() as file:
        next(file)
        try:
            base, *entries = json.loads(f"[{','.join(file)}]")  # as one document: half of the time
        except ValueError as error:
            line = getattr(error, "lineno", 0) + 1
            raise LockFileError(
                f"{path} is damaged: {getattr(error, 'msg', error)} (line {line})", hint=RELOCK
            ) from None
    for number, entry in enumerate(entries, 3):
        if not isinstance(entry, dict) or not {"id", "hash"} <= entry.keys():
            raise LockFileError(f"{path} is damaged: line {number} is no step", hint=RELOCK)
    return base.get("base", {}), entries


def load_locked(chain: Chain, lock: LockEntries | None = None) -> LockedChain:
    """The chain with its effects.

    Raises:
        LockFileError: the lock file does not fit the chain; names the first step that differs.
    """
    header = read_header(chain.folder)
    base, entries = lock or read_entries(chain.folder)
    for position, step in enumerate(chain.steps):
        entry = entries[position] if position < len(entries) else None
        if entry is None or entry["id"] != step.id:
            what = "is not in the lock file" if entry is None else f"stands where the lock file has {entry['id']}"
            raise LockFileError(f"step {step.id} ({step.path}:{step.line}) {what}", step=step.id, hint=RELOCK)
        if entry["hash"] != step.hash:
            raise LockFileError(
                f"step {step.id} ({step.path}:{step.line}) has changed since it was locked",
                step=step.id,
                hint=RELOCK,
            )
    if len(entries) > len(chain.steps):
        gone = entries[len(chain.steps)]["id"]
        raise LockFileError(f"step {gone} of the lock file is in no migration", step=gone, hint=RELOCK)
    return LockedChain(
        chain=chain,
        effects=effects_of(entries),
        base=base,
        scratch_major=int(header["scratch"]),
    )


def effects_of(entries: Sequence[dict[str, Any]]) -> tuple[Effect, ...]:
    """The effects that the entries record."""
    return tuple(
        Effect(
            set=e.get("set", {}),
            gone=tuple(e.get("gone", ())),
            locks=e.get("locks", {}),
            rewritten=tuple(e.get("rewritten", ())),
            scanned=tuple(e.get("scanned", ())),
            texts=e.get("texts", {}),
            parts=tuple(_read_part(part, e) for part in e.get("parts", ())),
        )
        for e in entries
    )


def _part(part: Effect, whole: Effect) -> dict[str, Any]:
    """One statement of several: values that are also the whole step's are named only."""
    own = {key: value for key, value in part.set.items() if whole.set.get(key) != value}
    same = [key for key in part.set if key not in own]
    return _given({"set": own, "same": same, "gone": part.gone})


def _read_part(part: dict[str, Any], entry: dict[str, Any]) -> Effect:
    values = {key: entry["set"][key] for key in part.get("same", ())} | part.get("set", {})
    return Effect(set=values, gone=tuple(part.get("gone", ())))
