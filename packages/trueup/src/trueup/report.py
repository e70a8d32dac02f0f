"""What every command returns, and what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trueup.chain.model import NOTHING
from trueup.decide.model import Conflict, Difference


class PartReport(NamedTuple):
    """What is sent together for a step: its statements, the tables that they lock, and why they are not as written.

    `locks` are by table: the mode's letters as in the lock file, and where the table is there its rows and bytes and
    whether it is busy.
    """

    statements: list[str]
    locks: Mapping[str, Mapping[str, Any]] = NOTHING
    why: str = ""
    transaction: bool = True

    def to_json(self) -> dict[str, Any]:
        """The element of a step's `parts`."""
        return {**self._asdict(), "locks": dict(self.locks)}


@dataclass(slots=True, kw_only=True)
class StepReport:
    """One step or one healing: its verdict, why, what is sent for it and in which parts, and how long that took."""

    id: str
    verdict: str
    reason: str
    statements: list[str] = field(default_factory=list)
    parts: list[PartReport] = field(default_factory=list)
    ms: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The element of `steps`."""
        parts = [part.to_json() for part in self.parts]
        return {
            "id": self.id,
            "verdict": self.verdict,
            "reason": self.reason,
            "statements": self.statements,
            "parts": parts,
            "ms": round(self.ms, 1),
        }


@dataclass(slots=True, kw_only=True)
class Report:
    """The state of a database against a chain, and what was done about it.

    `gone`: what was there when the database was last proved true and is missing; healed, or else `drift` as well.
    `up_to_date`: every step asked for is applied or reconciled. `true`: that, and no drift. `to`: up to which step
    that was asked for, where not up to the end.
    """

    chain: str
    topology: str = "direct"
    chosen: str = "DATABASE_URL"
    to: str = ""
    anchor: dict[str, Any] = field(default_factory=dict)
    steps: list[StepReport] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)
    accepted: list[Difference] = field(default_factory=list)
    gone: list[Difference] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    up_to_date: bool = False
    ms: float = 0.0

    @property
    def true(self) -> bool:
        """Up to date, and no drift but what was accepted."""
        return self.up_to_date and not self.drift

    @property
    def sent(self) -> list[StepReport]:
        """The steps and healings that sent something, or would."""
        return [step for step in self.steps if step.statements]

    def to_json(self) -> dict[str, Any]:
        """One JSON document, as `--json` prints it."""
        return {
            "chain": self.chain,
            "topology": self.topology,
            "chosen": self.chosen,
            "to": self.to or None,
            "anchor": self.anchor,
            "steps": [step.to_json() for step in self.steps],
            "drift": [difference.to_json() for difference in self.drift],
            "accepted": [difference.to_json() for difference in self.accepted],
            "gone": [difference.to_json() for difference in self.gone],
            "conflicts": [conflict.to_json() for conflict in self.conflicts],
            "up_to_date": self.up_to_date,
            "true": self.true,
            "ms": round(self.ms, 1),
        }


class Event(NamedTuple):
    """Something happened during a run. `text` is a line for people.

    `kind` is log, step_started, part_done, step_done or progress. A step in parts tells of each, then of itself.

    Progress is told after each batch of a backfill: `done` of `total` rows, of which the latter are an estimate.
    """

    kind: str
    text: str
    step: str = ""
    verdict: str = ""
    done: int = 0
    total: int = 0
    ms: float = 0.0
