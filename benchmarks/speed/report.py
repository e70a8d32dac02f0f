"""Tables for people: the same Markdown on the terminal and in the file."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.speed.bars import bars
from benchmarks.speed.results import REFERENCE, Case, Results, Series

_TITLE = {
    Case.NOOP: "Nothing to do: everything is applied",
    Case.FIRST: "First run, from an empty database",
    Case.ADOPT: "Adoption: everything is there, nothing is recorded",
}


def markdown(results: Results) -> str:
    """The whole report."""
    parts = ["# Speed", _about(results)]
    for case in (Case.NOOP, Case.FIRST, Case.ADOPT):
        for size in results.sizes:
            series = list(results.of(case, size))
            if series:
                parts += [f"## {_TITLE[case]} ({size:,} migrations)", _times(results, series, case, size)]
    if results.trips:
        parts += ["## Round trips of a run with nothing to do", _trips(results)]
    if results.lock_seconds:
        taken = ", ".join(f"{size:,} in {seconds:.1f} s" for size, seconds in sorted(results.lock_seconds.items()))
        parts.append(f"Beforehand, once, at a developer's desk, `trueup lock` learnt {taken}.")
    parts += ["## Bars", "\n".join(f"- {bar}" for bar in bars(results))]
    return "\n\n".join(parts) + "\n"


def _about(results: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    server = ", ".join(f"{name} {value}" for name, value in sorted(results.server.items()))
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    lines = [f"Measured with {versions}.", f"Server: {server}.", f"Machine: {machine}."]
    lines.append("Times are wall-clock times of the whole command; CPU is the command's own, its server's not counted.")
    lines.append("Ratios are taken round by round; the median of the rounds is shown.")
    return "\n".join(lines)


def _times(results: Results, series: Sequence[Series], case: Case, size: int) -> str:
    reference = REFERENCE[case]
    rows = [["tool", "median", "middle half", "fastest", "CPU", f"x {reference}", "runs"]]
    for one in sorted(series, key=lambda one: one.median or float("inf")):
        if one.median is None:
            rows.append([one.tool, *["-"] * 5, "0"])
            continue
        ratio = results.ratio(one.tool, reference, case, size)
        middle = " to ".join(map(_time, one.quartiles))
        cpu = _time(statistics.median(one.cpu_seconds))
        shown = "-" if ratio is None else f"{ratio:.2f}"
        rows.append([one.tool, _time(one.median), middle, _time(min(one.seconds)), cpu, shown, str(len(one.seconds))])
    troubles = [f"\n\n{one.tool}: {one.trouble}." for one in series if one.trouble]
    return table(rows) + "".join(troubles)


def _trips(results: Results) -> str:
    names = list(dict.fromkeys(one.tool for one in results.trips))
    rows = [["tool", *(f"{size:,} migrations" for size in results.sizes), "connections"]]
    for name in names:
        found = {one.size: one for one in results.trips if one.tool == name}
        counts = [str(found[size].round_trips) if size in found else "" for size in results.sizes]
        opened = sorted({one.connections for one in found.values()})
        rows.append([name, *counts, " to ".join(map(str, dict.fromkeys((opened[0], opened[-1]))))])
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well as plain text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
        if number == 0:
            rules = [("-" * width) if column == 0 else ("-" * (width - 1) + ":") for column, width in enumerate(widths)]
            lines.append(f"| {' | '.join(rules)} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
