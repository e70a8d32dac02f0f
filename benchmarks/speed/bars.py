"""The bars that trueup sets itself, held against what was measured. Printed, never asserted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.speed.results import Case, Results

SIZE = 1_000  # migrations, where a bar names no other
NOOP_RATIO = 1.4  # of the bare script
FLAT_RATIO = 1.2  # of the shortest chain's no-op, both divided by the bare script measured beside them
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
    ours, bare = results.median(_OURS, Case.NOOP, size), results.median(_BARE, Case.NOOP, size)
    if ours is None or bare is None:
        return _missing(asked)
    return Bar(asked, f"{ours / bare:.2f}x ({_ms(ours)} against {_ms(bare)})", ours <= NOOP_RATIO * bare)


def _flat(results: Results) -> Bar:
    shortest, longest = results.sizes[0], results.sizes[-1]
    asked = f"no-op flat from {shortest:,} to {longest:,}: at most {FLAT_RATIO}x"
    ratios = []
    for size in (shortest, longest):
        ours, bare = results.median(_OURS, Case.NOOP, size), results.median(_BARE, Case.NOOP, size)
        if ours is None or bare is None or shortest == longest:
            return _missing(asked)
        ratios.append(ours / bare)
    grown = ratios[1] / ratios[0]
    return Bar(asked, f"{grown:.2f}x", grown <= FLAT_RATIO)


def _trips(results: Results) -> Iterator[Bar]:
    asked = f"no-op in {ROUND_TRIPS} round trips"
    found = [one for one in results.trips if one.tool == _OURS]
    if not found:
        yield _missing(asked)
    for one in found:
        enough = one.round_trips <= ROUND_TRIPS and one.connections == 1
        yield Bar(f"{asked}, at {one.size:,}", f"{one.round_trips} over {one.connections} connection(s)", enough)


def _peers(results: Results) -> Iterator[Bar]:
    for size in results.sizes:
        asked = f"no-op at {size:,} ahead of every Python peer"
        ours = results.median(_OURS, Case.NOOP, size)
        medians = {name: results.median(name, Case.NOOP, size) for name in _PYTHON_PEERS}
        known = {name: median for name, median in medians.items() if median is not None}
        if ours is None or not known:
            yield _missing(asked)
            continue
        best = min(known, key=lambda name: known[name])
        unknown = [name for name in _PYTHON_PEERS if name not in known]
        note = f"; without {', '.join(unknown)}" if unknown else ""
        yield Bar(asked, f"{_ms(ours)}, the best of them {best} with {_ms(known[best])}{note}", ours < known[best])


def _first(results: Results, size: int) -> Bar:
    asked = f"first run of {size:,} at most {FIRST_RATIO}x psql plus the bare script"
    ours, psql = results.median(_OURS, Case.FIRST, size), results.median(_LIMIT, Case.FIRST, size)
    bare = results.median(_BARE, Case.NOOP, size)
    if ours is None or psql is None or bare is None:
        return _missing(asked)
    most = FIRST_RATIO * psql + bare
    return Bar(asked, f"{ours:.2f} s, the bar is {most:.2f} s ({ours / psql:.2f}x psql)", ours <= most)


def _adoption(results: Results, size: int) -> Bar:
    asked = f"adoption of {size:,} in less than {ADOPTION_SECONDS:.0f} s"
    ours = results.median(_OURS, Case.ADOPT, size)
    return _missing(asked) if ours is None else Bar(asked, f"{ours:.2f} s", ours < ADOPTION_SECONDS)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
