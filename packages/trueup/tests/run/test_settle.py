"""Steps that send nothing."""

from __future__ import annotations

import pytest

from trueup.decide.model import NOTHING_SHOWS
from trueup.report import Report, StepReport
from trueup.run.settle import taken_as_done

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "assumed, told",
    [
        ([], ""),
        (["a"], "Taken as done: a; `trueup history` says why"),
        (["a", "b", "c", "d", "e"], "Taken as done: a, b, c and 2 more; `trueup history` says why"),
    ],
)
def test_what_is_taken_as_done_is_told(assumed: list[str], told: str) -> None:
    steps = [StepReport(id=name, verdict="assume", reason="") for name in assumed]

    assert told == taken_as_done(Report(chain="shop", steps=[StepReport(id="z", verdict="run", reason=""), *steps]))


def test_of_which_nothing_shows_whether_it_has_run_comes_first() -> None:
    steps = [StepReport(id=name, verdict="assume", reason=NOTHING_SHOWS * (name == "d")) for name in "abcd"]

    assert taken_as_done(Report(chain="shop", steps=steps)).startswith("Taken as done: d, a, b and 1 more")
