"""What a decision is made of. Plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from trueup.chain.model import NOTHING
from trueup.decide.labels import Reordered
from trueup.decide.lent import Lent

Verdict = Literal["skip", "reconcile", "run", "complete", "heal", "assume", "conflict", "blocked"]


MARKED = "marked in the ledger"
"""Why a step is skipped."""
NOTHING_OF_IT = "nothing of it is there"
NOTHING_SHOWS = "the facts are the same before it and behind it, so nothing shows whether it has run"
NOT_OF_THIS_TEXT = "repeatable, and what is there is not of this text"


class Marks(NamedTuple):
    """What the ledger says: `done` are the indexes of marked steps; `own` those that trueup itself wrote.

    `lost` are steps that must have been marked when the database was last proved true, and are not any more; `whole`
    says that there are none.
    """

    done: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()
    whole: bool = False


class Difference(NamedTuple):
    """One fact that is not as the chain wants it. None means: not there. `origin` is the step it comes from.

    `was_true`: it was as it must be when the database was last proved true.
    """

    fact: str
    wanted: str | None
    found: str | None
    origin: str = ""
    was_true: bool = False

    def to_json(self) -> dict[str, str | None]:
        """An element of `drift`, or of a conflict's `differences`."""
        return {"fact": self.fact, "wanted": self.wanted, "found": self.found, "origin": self.origin}


class Conflict(NamedTuple):
    """What a person must decide: about which step or fact, why, what differs there, and how to go on.

    `by_word`: nothing has to be mended, only said with `trueup resolve`.
    """

    about: str
    why: str
    differences: tuple[Difference, ...] = ()
    hint: str = ""
    by_word: bool = False

    def __str__(self) -> str:
        return f"{self.about}: {self.why}"

    def to_json(self) -> dict[str, object]:
        """An element of `conflicts`."""
        return {
            "about": self.about,
            "why": self.why,
            "differences": [difference.to_json() for difference in self.differences],
            "hint": self.hint,
        }


class StepVerdict(NamedTuple):
    """What has to happen with one step, and why.

    `missing` are the facts to complete it with, `found` their values just before; `statements`, where it has several,
    those of its own that are to be run for that instead. `aside` are facts that are in its way, with their values: they
    are taken away while it runs, and made again in the same transaction. For as long, facts are given their value in
    `former`. What is `cleared` is taken away before it, for good. Statements in `written` are sent as it has them.
    """

    index: int  # type: ignore[assignment]  # instead of the method of tuples
    verdict: Verdict
    reason: str
    missing: tuple[str, ...] = ()
    found: Mapping[str, str | None] = NOTHING
    statements: tuple[int, ...] = ()
    aside: Mapping[str, str] = NOTHING
    former: Mapping[str, str] = NOTHING
    cleared: tuple[str, ...] = ()
    written: Mapping[int, str] = NOTHING
    differences: tuple[Difference, ...] = ()


def run(index: int, why: str) -> StepVerdict:
    """It has to run."""
    return StepVerdict(index=index, verdict="run", reason=why)


def assume(index: int, why: str) -> StepVerdict:
    """It is taken as done."""
    return StepVerdict(index=index, verdict="assume", reason=why)


def conflict(index: int, why: str, differences: tuple[Difference, ...] = ()) -> StepVerdict:
    """A person has to decide."""
    return StepVerdict(index=index, verdict="conflict", reason=why, differences=differences)


@dataclass(slots=True, kw_only=True)
class Decision:
    """Where a database stands and what each step needs.

    `anchor` counts steps: the database is nearest to the state after that many. `heal` are the facts that are missing
    there, with the index of the step that gave them; `found` is the database as it is, `before` as it is when healed.
    `final` is what every managed fact will be, None for gone.
    `renamed` maps the chain's key of an object to the key it has here; `lent` are renames of later steps that are done
    here already, and that the facts are told as before; `reordered` are enums whose labels change places first. `asked`
    are queries whose answers would help. `unfilled` are columns that are there, and filled before they get NOT NULL.
    """

    anchor: int
    distance: int
    steps: list[StepVerdict]
    heal: dict[str, int] = field(default_factory=dict)
    heal_conflicts: list[Difference] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)
    found: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str | None] = field(default_factory=dict)
    final: Mapping[str, str | None] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    unfilled: Collection[str] = frozenset()
    lent: Sequence[Lent] = ()
    reordered: Sequence[Reordered] = ()
    asked: Collection[str] = ()

    @property
    def conflicts(self) -> list[StepVerdict]:
        """The steps that a person has to decide on."""
        return [step for step in self.steps if step.verdict == "conflict"]

    @property
    def left_to_people(self) -> int:
        """How much a person has to decide."""
        return len(self.conflicts) + len(self.heal_conflicts)

    @property
    def to_mend(self) -> int:
        """How much is healed, or stays different."""
        return len(self.heal) + len(self.drift)

    @property
    def trouble(self) -> tuple[int, int]:
        """What it leaves to people, and what it has to mend."""
        return self.left_to_people, self.to_mend

    @property
    def pending(self) -> list[StepVerdict]:
        """The steps that send something."""
        return [step for step in self.steps if step.verdict in ("run", "complete")]


class Wish(NamedTuple):
    """What was asked for: which steps count, and what a person has said about some of them."""

    contract: bool = False
    until: int | None = None  # only the first so many steps
    applied: Collection[int] = ()  # resolve --applied
    run: Collection[int] = ()  # resolve --run
    answers: Mapping[int, bool] = NOTHING  # `done when`, by step
    begun: frozenset[int] = frozenset()  # backfills that are not at their end
    rows: Mapping[str, bool] = NOTHING  # what queries about rows have answered
