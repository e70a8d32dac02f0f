"""Bars are judged on medians; what was not measured is neither passed nor failed."""

import pytest
from benchmarks.speed.bars import bars
from benchmarks.speed.results import Case, Results, Trips

pytestmark = pytest.mark.unit


def measured(**noop: float) -> Results:
    """Results at 1,000 migrations in which trueup takes 0.13 s beside a bare script of 0.1 s, unless said otherwise."""
    results = Results()
    for case in (Case.FIRST, Case.ADOPT):
        results.begin("bare script", case, 1_000).seconds = [0.1]
    times = {"bare script": 0.1, "trueup": 0.13, "alembic": 0.5, "django": 0.4, "yoyo": 0.2, **noop}
    for tool, seconds in times.items():
        results.begin(tool, Case.NOOP, 1_000).seconds = [seconds, 9 * seconds, 0.5 * seconds]
    results.begin("psql", Case.FIRST, 1_000).seconds = [0.4]
    results.begin("trueup", Case.FIRST, 1_000).seconds = [0.7]
    results.begin("trueup", Case.ADOPT, 1_000).seconds = [0.9]
    results.trips.append(Trips("trueup", 1_000, connections=1, round_trips=2, statements=[]))
    return results


def verdict(results: Results, start: str) -> bool | None:
    return next(bar.passed for bar in bars(results) if bar.asked.startswith(start))


def test_good_results_pass_every_bar_that_was_measured() -> None:
    found = bars(measured())

    assert ["no-op flat from 1,000 to 1,000: at most 1.2x"] == [bar.asked for bar in found if bar.passed is None]
    assert [] == [bar.asked for bar in found if bar.passed is False]


def test_slow_noop_fails() -> None:
    assert verdict(measured(trueup=0.15), "no-op at 1,000 at most") is False


def test_ratios_are_taken_round_by_round() -> None:
    results = measured()
    results.begin("bare script", Case.NOOP, 1_000).seconds = [0.1, 0.5, 0.5]
    results.begin("trueup", Case.NOOP, 1_000).seconds = [0.13, 0.65, 0.13]

    assert pytest.approx(1.3) == results.ratio("trueup", "bare script", Case.NOOP, 1_000)


def test_growth_is_judged_relative_to_the_bare_script() -> None:
    results = measured()
    results.begin("bare script", Case.NOOP, 5_000).seconds = [0.2]
    results.begin("trueup", Case.NOOP, 5_000).seconds = [0.27]

    assert verdict(results, "no-op flat") is True


def test_second_connection_fails_the_round_trips() -> None:
    results = measured()
    results.trips[:] = [Trips("trueup", 1_000, connections=2, round_trips=2, statements=[])]

    assert verdict(results, "no-op in at most 2 round trips") is False


def test_peer_that_was_not_measured_is_named() -> None:
    results = measured()
    results.begin("yoyo", Case.NOOP, 1_000).seconds = []

    assert any("without yoyo" in bar.found for bar in bars(results))


def test_nothing_measured_gives_no_bars() -> None:
    assert [] == bars(Results())
