"""The bars that trueup sets itself, held against what was measured. Printed, never asserted.

Where one time is held against another, that is done round by round, and the median of the rounds decides.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.speed.results import Case, Results

SIZE = 1_000  # migrations, where a bar names no other
NOOP_RATIO = 1.4  # of the bare script
FLAT_RATIO = 1.2  # of the shortest chain's no-op, both in relation to the bare script beside them
ROUND_TRIPS = 2
FIRST_RATIO = 1.5  # of psql, plus the bare script
ADOPTION_SECONDS = 1.0

_PYTHON_PEERS = ("alembic", "django", "yoyo")
_OURS, _BARE, _LIMIT = "trueup", "bare script", "psql"


@dataclass(frozen=True)
class Bar:
    """One bar: what was asked, what was found, and whether that is enough; None if it was not measured."""

    asked: str
    found: str
    passed: bool | None

    def __str__(self) -> str:
        verdict = {True: "pass", False: "FAIL", None: "n/a "}[self.passed]
        return f"{verdict}  {self.asked}: {self.found}"


def bars(results: Results) -> list[Bar]:
    """All bars, at 1,000 migrations or at the nearest length that was measured."""
    if not results.sizes:
        return []
    size = min(results.sizes, key=lambda one: abs(one - SIZE))
    return [
        _noop(results, size),
        _flat(results),
        *_trips(results),
        *_peers(results),
        _first(results, size),
        _adoption(results, size),
    ]


def _missing(asked: str) -> Bar:
    return Bar(asked, "not measured", None)


def _noop(results: Results, size: int) -> Bar:
    asked = f"no-op at {size:,} at most {NOOP_RATIO}x the bare script"
    ratio = results.ratio(_OURS, _BARE, Case.NOOP, size)
    if ratio is None:
        return _missing(asked)
    medians = " against ".join(_ms(results.median(tool, Case.NOOP, size)) for tool in (_OURS, _BARE))
    return Bar(asked, f"{ratio:.2f}x ({medians})", ratio <= NOOP_RATIO)


def _flat(results: Results) -> Bar:
    shortest, longest = results.sizes[0], results.sizes[-1]
    asked = f"no-op flat from {shortest:,} to {longest:,}: at most {FLAT_RATIO}x"
    short = results.ratios(_OURS, _BARE, Case.NOOP, shortest)
    long = results.ratios(_OURS, _BARE, Case.NOOP, longest)
    if not short or not long or shortest == longest:
        return _missing(asked)
    grown = statistics.median(after / before for before, after in zip(short, long, strict=False))
    return Bar(asked, f"{grown:.2f}x", grown <= FLAT_RATIO)


def _trips(results: Results) -> Iterator[Bar]:
    asked = f"no-op in at most {ROUND_TRIPS} round trips"
    found = [one for one in results.trips if one.tool == _OURS]
    if not found:
        yield _missing(asked)
    for one in found:
        enough = one.round_trips <= ROUND_TRIPS and one.connections == 1
        yield Bar(f"{asked}, at {one.size:,}", f"{one.round_trips} over {one.connections} connection(s)", enough)


def _peers(results: Results) -> Iterator[Bar]:
    for size in results.sizes:
        asked = f"no-op at {size:,} ahead of every Python peer"
        ratios = {name: results.ratio(_OURS, name, Case.NOOP, size) for name in _PYTHON_PEERS}
        known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        if not known:
            yield _missing(asked)
            continue
        best = max(known, key=lambda name: known[name])
        unknown = [name for name in _PYTHON_PEERS if name not in known]
        note = f"; without {', '.join(unknown)}" if unknown else ""
        yield Bar(asked, f"{known[best]:.2f}x the best of them, {best}{note}", known[best] < 1)


def _first(results: Results, size: int) -> Bar:
    asked = f"first run of {size:,} at most {FIRST_RATIO}x psql plus the bare script"
    ours, psql, bare = (results.get(tool, Case.FIRST, size).seconds for tool in (_OURS, _LIMIT, _BARE))
    rounds = list(zip(ours, psql, bare, strict=False))
    if not rounds:
        return _missing(asked)
    allowed = statistics.median(FIRST_RATIO * psql + bare for _, psql, bare in rounds)
    used = statistics.median(ours / (FIRST_RATIO * psql + bare) for ours, psql, bare in rounds)
    beside = statistics.median(ours / psql for ours, psql, _ in rounds)
    found = f"{used:.2f} of that ({statistics.median(ours):.2f} s of {allowed:.2f} s; {beside:.2f}x psql)"
    return Bar(asked, found, used <= 1)


def _adoption(results: Results, size: int) -> Bar:
    asked = f"adoption of {size:,} in less than {ADOPTION_SECONDS:.0f} s"
    ours = results.median(_OURS, Case.ADOPT, size)
    if ours is None:
        return _missing(asked)
    beside = _ms(results.median(_BARE, Case.ADOPT, size))
    return Bar(asked, f"{ours:.2f} s, the bare script beside it {beside}", ours < ADOPTION_SECONDS)


def _ms(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds * 1000:.0f} ms"
