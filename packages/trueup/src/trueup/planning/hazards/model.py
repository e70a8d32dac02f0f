"""What lint is made of: rules, hits of a rule in a statement, findings as they are told. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trueup.chain.locks import MODES


class Level(StrEnum):
    """`warning`: the author has to do something. `note`: to be known. `info`: taste, and what may surprise."""

    WARNING = "warning"
    NOTE = "note"
    INFO = "info"


class Family(StrEnum):
    """Why a rule exists, and with it what settles it."""

    LOCKS = "locks"  # `-- as written` settles it
    CONTRACT = "contract"  # `-- phase: contract` settles it
    ROWS = "rows"
    STYLE = "style"
    BEHAVIOUR = "behaviour"
    LINT = "lint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One hazard: `why` it hurts and what to do `instead`.

    `sends` says which safe form `up` finds by itself; then the rule is a note, unless something keeps `up` from it.
    """

    id: str
    family: Family
    title: str
    why: str
    instead: str
    sends: str = ""
    level: Level = Level.WARNING


def lock_rule(
    name: str,
    title: str,
    why: str,
    instead: str,
    sends: str = "",
    *,
    level: Level = Level.WARNING,
) -> Rule:
    """A rule about a lock that others have to wait for."""
    return Rule(id=name, family=Family.LOCKS, title=title, why=why, instead=instead, sends=sends, level=level)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that a statement breaks. `locks` is what such a statement takes: relation → letters of the mode."""

    rule: Rule
    said: str
    locks: Mapping[str, str] = field(default_factory=dict)
    at: int = 0  # byte of the statement's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A hit in its place. `path` is relative to the folder of migrations."""

    rule: Rule
    level: Level
    path: str
    line: int
    step: str
    said: str
    why: str
    instead: str
    locks: Mapping[str, str] = field(default_factory=dict)
    sends: tuple[str, ...] = ()  # what `up` sends in place of what is written, where the table is big

    def to_json(self) -> dict[str, Any]:
        """The element of `findings`."""
        return {
            "rule": self.rule.id,
            "level": self.level.value,
            "path": self.path,
            "line": self.line,
            "step": self.step,
            "message": self.said,
            "locks": {relation: MODES[mode] for relation, mode in self.locks.items()},
            "why": self.why,
            "instead": self.instead,
            "sends": list(self.sends),
        }
