"""Tables for people: the same Markdown on the terminal and in the file."""

from __future__ import annotations

from benchmarks.online.results import Results, Trial, bars
from benchmarks.speed.report import table

FULL_ROWS = 5_000_000


def markdown(results: Results) -> str:
    """The whole report."""
    parts = ["# Online", _about(results), _short(results)]
    for reader in (False, True):
        trials = [trial for trial in results.trials if trial.reader is reader]
        if trials:
            beside = " beside a reader that holds the table for thirty seconds" if reader else ""
            parts += [f"## The change{beside} ({trials[0].rows:,} rows)", _trials(trials)]
    parts += ["## Backfill", _backfills(results)]
    if found := bars(results):
        parts += ["## Bars", "\n".join(f"- {'pass' if held else 'FAIL'}: {words}" for held, words in found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(results: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    server = ", ".join(f"{name} {value}" for name, value in sorted(results.server.items()))
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    return "\n".join(
        [
            f"Measured with {versions}.",
            f"Server: {server}.",
            f"Machine: {machine}.",
            f"Load: {results.load}.",
            "A stall is the longest that one statement of a client took. The 99th percentile counts from when a",
            "statement was due. In brackets: the same clients before the change, in the same trial.",
        ],
    )


def _short(results: Results) -> str:
    """That the run was a smaller one, or on a machine that had other work."""
    cores, before = float(results.machine.get("cores", 1)), float(results.machine.get("load average at the start", 0))
    said = []
    if not any(trial.rows >= FULL_ROWS for trial in results.trials):
        said.append(f"This run was made with fewer rows than the {FULL_ROWS:,} that a full one has.")
    if results.added:
        said.append(
            f"{', '.join(results.added)}, and the plain UPDATE, were measured in a later run on the same machine."
        )
    if results.skipped:
        said.append(f"Not measured, for want of time or because it failed: {', '.join(results.skipped)}.")
    if before > cores:
        said.append(f"The machine was busy with other work: {before:.0f} processes wanted its {cores:.0f} cores.")
    return "\n".join(said)


def _trials(trials: list[Trial]) -> str:
    rows = [["tool", "longest stall", "p99", "failed statements", "most waiting", "longest wait for a table", "took"]]
    rows += [_row(one) for one in trials]
    said = [f"\n\n{one.tool}: {one.trouble}." for one in trials if one.trouble]
    said += [f"\n\n{one.tool}, to clients: {'; '.join(one.change.errors)}." for one in trials if one.change.errors]
    return table(rows) + "".join(said)


def _row(one: Trial) -> list[str]:
    return [
        one.tool,
        f"{_time(one.change.stall)} ({_time(one.quiet.stall)})",
        f"{_time(one.change.p99)} ({_time(one.quiet.p99)})",
        f"{one.change.failed} of {one.change.statements:,}",
        str(one.waiting),
        _time(one.queue),
        _time(one.seconds),
    ]


def _backfills(results: Results) -> str:
    lines = []
    for rows, seconds in results.update_seconds.items():
        lines.append(f"One plain UPDATE of {rows:,} rows under the same load: {rows / seconds:,.0f} rows/s.")
        for one in results.trials:
            if one.rows == rows and one.backfill_seconds and not one.reader:
                rate = rows / one.backfill_seconds
                share = seconds / one.backfill_seconds
                lines.append(f"{one.tool}'s backfill of the same rows: {rate:,.0f} rows/s, {share:.0%} of it.")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
