"""When a backfill holds back, and how its progress is told."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from trueup.run.backfill import throttle
from trueup.run.backfill.throttle import Throttle
from trueup.run.backfill.work import Progress, duration
from trueup_testing.databases import Databases, value


@pytest.mark.unit
@pytest.mark.parametrize(
    "seen, why, stops",
    [
        ((None, None, None, None, False), None, None),
        (("replica1", 7.4, 1 << 20, None, False), "the standby replica1 is 7 s and 1 MB behind", True),
        (("", None, 300 << 20, 40, True), "the standby (unnamed) is 0 s and 300 MB behind", True),
        ((None, None, None, 16, False), None, None),
        ((None, None, None, 17, True), "17 WAL segments wait to be archived", True),
        ((None, None, None, None, True), "autovacuum is at work on the table", False),
    ],
)
def test_what_stops_it_and_what_slows_it_down(seen: tuple[Any, ...], why: str | None, stops: bool | None) -> None:
    found = throttle._judged(*seen)

    assert (why, stops) == ((found.why, found.stops) if found else (None, None))


@pytest.mark.pg
def test_every_server_can_be_asked(each_server: Databases) -> None:
    url = each_server.create()
    with psycopg.connect(url, autocommit=True) as conn:
        assert Throttle(conn, "public.leads").look() is None


@pytest.mark.pg
def test_segments_are_counted_by_their_names(database: str) -> None:
    ends = [throttle._SEGMENT.format(name=f"pg_walfile_name('{lsn}'::pg_lsn)") for lsn in ("2/40000001", "1/F0000001")]

    assert 80 == value(database, f"SELECT ({ends[0]}) - ({ends[1]})")


@pytest.mark.unit
@pytest.mark.parametrize(
    "progress, said",
    [
        (
            Progress("2_fill", 500, 2_000_000, 1000.0),
            "2_fill: 500 of about 2,000,000 rows, 1,000 rows/s, 33 min 20 s left",
        ),
        (Progress("2_fill", 30, 20, 10.0), "2_fill: 30 rows, more than the 20 expected, 10 rows/s"),
        (
            Progress("2_fill", 0, 20, 0.0, "17 WAL segments wait to be archived"),
            "2_fill: 0 of about 20 rows, 0 rows/s; held back: 17 WAL segments wait to be archived",
        ),
    ],
)
def test_progress_is_told_in_words(progress: Progress, said: str) -> None:
    assert said == progress.said
    assert ("progress", progress.seen, progress.expected) == (
        progress.event.kind,
        progress.event.done,
        progress.event.total,
    )


@pytest.mark.unit
def test_times_are_told_as_people_say_them() -> None:
    assert ["0 s", "59 s", "1 min 00 s", "59 min 59 s", "2 h 05 min"] == list(map(duration, (0.2, 59, 60, 3599, 7500)))
