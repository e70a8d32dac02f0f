"""How big the next batch is."""

from __future__ import annotations

import pytest

from trueup.run.backfill.size import Sizer

pytestmark = pytest.mark.unit


def after(rows: int, *took: float, waiters: int = 0) -> int:
    sizer = Sizer(rows, target=0.5)
    for seconds in took:
        sizer.took(seconds, waiters=waiters)
    return sizer.rows


@pytest.mark.parametrize(
    "took, rows",
    [((0.5,), 1000), ((0.25,), 2000), ((0.01,), 2000), ((0.625,), 800), ((5.0,), 500), ((0.01, 0.01), 4000)],
)
def test_it_goes_towards_its_target_at_most_by_half(took: tuple[float, ...], rows: int) -> None:
    assert rows == after(1000, *took)


def test_it_is_halved_where_it_failed_and_never_nothing() -> None:
    sizer = Sizer(5)
    sizes = []
    for _ in range(4):
        sizer.failed()
        sizes.append(sizer.rows)

    assert [2, 1, 1, 1] == sizes


def test_what_gets_no_shorter_with_fewer_rows_is_not_made_smaller() -> None:
    assert 1000 == after(1000, 8.0, 8.0, 8.0)


def test_somebody_who_waited_makes_it_shorter_for_a_while() -> None:
    sizer = Sizer(1000, target=0.5)
    sizer.took(0.5, waiters=2)
    assert 500 == sizer.rows
    for _ in range(30):
        sizer.took(sizer.rows / 2000)

    assert 900 < sizer.rows <= 1100


def test_it_has_an_end() -> None:
    assert 1_000_000 == after(900_000, 0.0001)
