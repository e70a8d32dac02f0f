"""What a file puts around a data step, and takes back behind it, runs with it."""

from __future__ import annotations

import pytest

from trueup.chain.model import LockedChain
from trueup.decide.frames import with_frames
from trueup.decide.model import StepVerdict, Verdict
from trueup.decide.trajectory import Trajectories
from trueup_testing.facts import Made, chain_of, step

pytestmark = pytest.mark.unit

STATE = "trigger state public.a.t"
KEY = {"constraint public.a.k": "CHECK ((x > 0))", "validated public.a.k": ""}
A = step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer", **KEY}, file="1")
UPDATE = step("UPDATE a SET x = 1", locks={"public.a": "RX"}, file="2")
DISABLE = step("ALTER TABLE a DISABLE TRIGGER t", {STATE: "D"}, file="2")
ENABLE = step("ALTER TABLE a ENABLE TRIGGER t", gone=[STATE], file="2")
DROP = step("ALTER TABLE a DROP CONSTRAINT k", gone=[*KEY], file="2")
ADD = step("ALTER TABLE a ADD CONSTRAINT k CHECK (x > 0)", KEY, file="2")
DROP_COLUMN = step("ALTER TABLE a DROP COLUMN x", gone=["column public.a.x"], file="2")
ADD_COLUMN = step("ALTER TABLE a ADD COLUMN x int", {"column public.a.x": "integer"}, file="2")
OF_ANOTHER_FILE = step("ALTER TABLE a ENABLE TRIGGER t", gone=[STATE], file="3")
OF_ANOTHER_TABLE = step("ALTER TABLE b DISABLE TRIGGER t", {"trigger state public.b.t": "D"}, file="2")
BACK_ON_ANOTHER = step("ALTER TABLE b ENABLE TRIGGER t", gone=["trigger state public.b.t"], file="2")


def framed(locked: LockedChain, verdict: Verdict) -> list[str]:
    """The verdicts where the data step has this one, and all others are there."""
    found: list[StepVerdict] = [
        StepVerdict(index=i, verdict=verdict if one.has_data else "reconcile", reason="")
        for i, one in enumerate(locked.steps)
    ]
    return [one.verdict for one in with_frames(found, locked, Trajectories(locked.effects, locked.base))]


@pytest.mark.parametrize(
    "steps",
    [(DISABLE, UPDATE, ENABLE), (DROP, UPDATE, ADD), (DISABLE, DROP, UPDATE, ADD, ENABLE)],
    ids=["a trigger", "a constraint", "both"],
)
def test_what_stands_around_a_data_step_runs_with_it(steps: tuple[Made, ...]) -> None:
    assert ["reconcile", *["run"] * len(steps)] == framed(chain_of(A, *steps), "run")


@pytest.mark.parametrize(
    "steps",
    [
        (DISABLE, UPDATE, OF_ANOTHER_FILE),
        (DISABLE, UPDATE),
        (DISABLE, ENABLE, UPDATE),
        (DROP_COLUMN, UPDATE, ADD_COLUMN),
        (OF_ANOTHER_TABLE, UPDATE, BACK_ON_ANOTHER),
    ],
    ids=["taken back by another file", "never taken back", "taken back before it", "a column", "of another table"],
)
def test_what_does_not_stand_around_it_stays(steps: tuple[Made, ...]) -> None:
    locked = chain_of(A, *steps)

    assert ["run" if one.has_data else "reconcile" for one in locked.steps] == framed(locked, "run")


def test_around_a_data_step_that_is_taken_as_done_nothing_runs() -> None:
    assert "run" not in framed(chain_of(A, DISABLE, UPDATE, ENABLE), "assume")
