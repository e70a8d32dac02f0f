"""What clients felt, and the bars that follow from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.online.load import Seen
from benchmarks.online.results import Felt, Results, Trial, bars, queue_between, read
from benchmarks.online.watch import Queue

pytestmark = pytest.mark.unit

QUIET = Felt(statements=100, p50=0.001, p99=0.01, stall=0.02, failed=0, errors=[])


def trial(*, tool: str = "trueup", stall: float = 0.1, failed: int = 0, queue: float = 0.1) -> Trial:
    change = Felt(statements=100, p50=0.001, p99=0.01, stall=stall, failed=failed, errors=[])
    return Trial(
        tool=tool, reader=False, rows=10, quiet=QUIET, change=change, seconds=9, waiting=1, queue=queue,
        backfill_seconds=2.0,
    )  # fmt: skip


def failing(one: Trial, update: float = 1.5) -> list[str]:
    results = Results(trials=[one], update_seconds={10: update})
    return [words for held, words in bars(results) if not held]


def test_statements_count_in_the_time_in_which_they_were_due() -> None:
    seen = [Seen(1.0, 9.0, 0.1, "read"), Seen(2.0, 0.2, 0.2, "read"), Seen(3.0, 0.5, 0.4, "update", "deadlock")]

    felt = Felt.between(seen, 2.0, 4.0)

    assert (2, 0.2, 0.5, 0.4) == (felt.statements, felt.p50, felt.p99, felt.stall)
    assert (1, ["deadlock"]) == (felt.failed, felt.errors)
    assert 0 == Felt.between(seen, 5.0, 6.0).statements


def test_the_queue_of_a_time() -> None:
    samples = [Queue(1.0, 9, 9.0), Queue(2.0, 1, 0.1), Queue(3.0, 2, 0.05)]

    assert (2, 0.1) == queue_between(samples, 2.0, 4.0)
    assert (0, 0.0) == queue_between(samples, 5.0, 6.0)


def test_bars_that_hold() -> None:
    assert [] == failing(trial())


@pytest.mark.parametrize(
    "one,update,said",
    [
        (trial(stall=0.3), 1.5, "longest stall 300 ms of 250 ms"),
        (trial(failed=2), 1.5, "2 statements of clients failed"),
        (trial(queue=0.5), 1.5, "longest wait for a table 500 ms of 200 ms"),
        (trial(), 1.0, "backfill at 50%"),
    ],
)
def test_bars_that_do_not(one: Trial, update: float, said: str) -> None:
    (words,) = failing(one, update)

    assert said in words


def test_results_are_added_to_those_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "online.json"
    earlier = Results(versions={"psql": "18"}, trials=[trial(stall=0.5), trial(tool="psql")], update_seconds={10: 1.0})
    path.write_text(json.dumps(earlier.to_json()))

    found = read(path).with_more(Results(versions={"trueup": "1"}, trials=[trial()], update_seconds={10: 2.0}))

    assert [trial(), trial(tool="psql")] == found.trials
    assert ["trueup"] == found.added
    assert ({"psql": "18", "trueup": "1"}, {10: 2.0}) == (found.versions, found.update_seconds)
