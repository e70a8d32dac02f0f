"""Text for people: everything on standard error, colour only on a terminal, plain words."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trueup.words import counted

if TYPE_CHECKING:
    from trueup.decide.model import Conflict, Difference
    from trueup.errors import TrueupError
    from trueup.report import Event, PartReport, Report, StepReport

_COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "dim": 2, "bold": 1}
VERDICT_COLOURS = {
    "run": "green",
    "complete": "yellow",
    "heal": "yellow",
    "reconcile": "blue",
    "assume": "blue",
    "conflict": "red",
    "blocked": "dim",
    "skip": "dim",
}


def say(text: str) -> None:
    """One line, or several, for a person."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where it is printed


def colour(text: str, name: str) -> str:
    """The text in a colour, where a terminal shows it."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m"


def say_error(error: TrueupError) -> None:
    """What was wanted, what was found; after a blank line, what to do next."""
    say(f"{colour('error', 'red')}: {error.message}")
    show_conflicts(getattr(error, "conflicts", []))
    for item in getattr(error, "differences", []):
        say(f"  - {item}")
    if statement := getattr(error, "statement", ""):
        say(textwrap.indent(shortened(statement, 12), "    "))
    if error.hint:
        say(f"\n{colour('hint', 'blue')}: {error.hint}")


def shortened(text: str, lines: int) -> str:
    """At most so many lines of a text."""
    kept = text.splitlines()
    return (
        "\n".join(kept)
        if len(kept) <= lines
        else "\n".join([*kept[: lines - 1], f"… {len(kept) - lines + 1} more lines"])
    )


def show_event(event: Event) -> None:
    """One line per finished step; every line of the log."""
    if event.kind == "log":
        say(event.text)
    elif event.kind == "step_done":
        counter = f"{event.done:>{len(str(event.total))}}/{event.total}"
        word, _, rest = event.text.partition(" ")
        shown = colour(f"{word:<9}", VERDICT_COLOURS.get(event.verdict, "bold"))
        say(f"{colour(counter, 'dim')} {shown} {rest} {colour(f'{event.ms:.0f} ms', 'dim')}")
    elif event.kind == "part_done":
        indent = " " * (2 * len(str(event.total)) + 2)
        took = f" {event.ms:.0f} ms"
        first = " ".join(event.text.split())
        say(colour(indent + textwrap.shorten(first, _width() - len(indent + took), placeholder=" …") + took, "dim"))


def show_steps(steps: Iterable[StepReport], *, statements: bool) -> None:
    """A line per step with its reason, and the statements below it."""
    for step in steps:
        verdict = colour(f"{step.verdict:<9}", VERDICT_COLOURS.get(step.verdict, "bold"))
        say(f"{verdict} {step.id}  {colour(step.reason, 'dim')}")
        if statements:
            for part in step.parts:
                for statement in part.statements:
                    say(_fitted(shortened(statement, 40) + ";", "            "))
                _show_part(part)


_UNFELT = ("AS", "RS", "RX")  # what every query and every writer takes


def _show_part(part: PartReport) -> None:
    """Why it is not as written, and which lock it takes on tables that are in use."""
    from trueup.planning.live import said_bytes

    locks = [
        f"{lock['mode']} on {table} (about {lock['rows']:,} rows, {said_bytes(lock['bytes'])}"
        f"{', busy' if lock.get('busy') else ''})"
        for table, lock in part.locks.items()
        if lock.get("rows") and lock["mode"] not in _UNFELT
    ]
    if told := [*locks, part.why] if part.why else locks:
        say(colour(_fitted("; ".join(told), "              "), "dim"))


def _fitted(text: str, indent: str) -> str:
    """Indented; on a terminal, lines that are too long for it go on further inside, as a copy elsewhere must not."""
    lines = text.splitlines()
    if sys.stderr.isatty():
        lines = [
            part
            for line in lines
            for part in textwrap.wrap(
                line,
                _width() - len(indent),
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
            or [""]
        ]
    return textwrap.indent("\n".join(lines), indent)


def _width() -> int:
    return max(shutil.get_terminal_size().columns, 60)


def show_conflicts(conflicts: Iterable[Conflict]) -> None:
    """What a person must decide: wanted beside found, and how to go on."""
    for conflict in conflicts:
        say(f"\n{colour('to decide', 'red')} {conflict.about}: {conflict.why}")
        for difference in conflict.differences:
            _show_difference(difference)
        say(f"  {colour('hint', 'blue')}: {conflict.hint}")


def show_drift(report: Report) -> None:
    """Every fact that differs and that nothing will change, wanted beside found; before that, what has gone."""
    gone = {difference.fact for difference in report.gone}
    left = [difference for difference in report.drift if difference.fact in gone]
    healed = [d for d in report.gone if d not in left]
    since = f"{colour('gone', 'yellow')} since the database was last proved true"
    _show_differences(f"{since}, and {'made again' if report.up_to_date else 'to be healed'}:", healed)
    _show_differences(f"{since}:", left)
    others = [difference for difference in report.drift if difference.fact not in gone]
    _show_differences(f"{colour('differs', 'yellow')}, and no step changes it:", others)
    if report.accepted:
        say(f"accepted: {', '.join(d.fact for d in report.accepted)}")


def _show_differences(heading: str, differences: list[Difference]) -> None:
    if differences:
        say(f"\n{heading}")
    for difference in differences:
        _show_difference(difference)


def _show_difference(difference: Difference) -> None:
    say(f"  {difference.fact}{_origin(difference)}")
    say(f"      wanted  {_value(difference.wanted)}")
    say(f"      found   {_value(difference.found)}")


def _origin(difference: Difference) -> str:
    return colour(f"  from {difference.origin}", "dim") if difference.origin else ""


def _value(value: str | None) -> str:
    if value is None:
        return "not there"
    return shortened(value, 3) if value else "there"


def show_conclusion(report: Report) -> None:
    """The last line: true, up to date but different somewhere, or neither."""
    if report.true:
        until = f" up to {report.to}" if report.to else ""
        say(colour("true", "green") + f": the database is what {report.chain} describes{until} ({report.ms:.0f} ms)")
    elif report.up_to_date:
        count = len(report.drift)
        differs = f"{counted(count, 'fact')} differ{'s' if count == 1 else ''}"
        every = f"every step up to {report.to}" if report.to else "every step"
        say(colour("up to date", "yellow") + f": {every} is done, but {differs} ({report.ms:.0f} ms)")
        say(f"\n{colour('hint', 'blue')}: Mend it, or accept it with `trueup accept FACT --because REASON`.")


def summary(report: Report) -> str:
    """How many steps got which verdict, in one line."""
    counts: dict[str, int] = {}
    for step in report.steps:
        counts[step.verdict] = counts.get(step.verdict, 0) + 1
    order = ("skip", "reconcile", "assume", "heal", "complete", "run", "blocked", "conflict")
    words = {"skip": "done before", "reconcile": "there already", "assume": "taken as done", "heal": "to heal"}
    words |= {"complete": "to complete", "run": "to run", "blocked": "not asked for", "conflict": "to decide"}
    return ", ".join(f"{counts[verdict]} {words[verdict]}" for verdict in order if verdict in counts)
