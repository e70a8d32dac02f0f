"""`trueup backfill`: the batches alone, and a say in those that are at work elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import colour, say
from trueup.cli.progress import Watching
from trueup.connect.connection import connect
from trueup.errors import UsageError

if TYPE_CHECKING:
    from trueup.run.backfill.control import Word

_SAID = {
    "pause": "pauses after the batch at work; go on with `trueup backfill resume {name}`",
    "resume": "goes on; where no run is at work on it: `trueup backfill {name}`",
    "cancel": "ends after the batch at work; what is done stays",
    "forget": "its position is forgotten; the next run begins anew",
}


@click.command("backfill")
@click.argument("words", nargs=-1, metavar="[NAME… | pause NAME | resume NAME | cancel NAME | forget NAME]")
@click.option("--all", "all_of_them", is_flag=True, help="every backfill that nothing else has to be done before")
@click.option("--jobs", type=click.IntRange(1), default=1, metavar="N", help="so many at once, on different tables")
@click.option("--full-speed", is_flag=True, help="do not hold back for standbys, the archive and autovacuum")
@click.option(
    "--terminate-blockers", type=click.Choice(["idle"]), help="end sessions in the way that are idle in a transaction"
)
@pass_context
def command(
    context: Context,
    words: tuple[str, ...],
    all_of_them: bool,
    jobs: int,
    full_speed: bool,
    terminate_blockers: str | None,
) -> int:
    """Run pending backfills and nothing else; without arguments, list those that have begun."""
    if words and words[0] in _SAID:
        return _ask(context, cast("Word", words[0]), words[1:])
    if not words and not all_of_them:
        return _list(context)
    if words and all_of_them:
        raise UsageError("names, or --all", hint="`trueup backfill --all` runs every one that can be run.")
    options = context.options(ends_idle=terminate_blockers == "idle", full_speed=full_speed)
    with Watching() as watching:
        report = api.backfill(
            context.urls,
            context.folder,
            name=context.settings.name,
            steps=words,
            jobs=jobs,
            options=options,
            on_event=watching,
        )
    context.print_report(report, lambda report: say(f"done ({report.ms / 1000:.1f} s)"))
    return 0


def _ask(context: Context, word: Word, names: tuple[str, ...]) -> int:
    from trueup.run.backfill.control import ask

    if not names:
        raise UsageError(f"{word} which backfill?", hint="`trueup backfill` lists those that have begun.")
    with connect(context.urls.default) as conn:
        for name in names:
            standing = ask(conn, _chain(context), name, word)
            say(f"{name}: {_SAID[word].format(name=name)} ({standing.seen:,} rows done)")
    return _list(context) if context.as_json else 0


def _list(context: Context) -> int:
    from trueup.run.backfill.position import standings

    with connect(context.urls.default) as conn:
        found = standings(conn, _chain(context))
    if context.as_json:
        context.print_json({"backfills": [standing.to_json() for standing in found]})
        return 0
    for standing in found:
        expected = "" if standing.finished else f" of about {standing.expected:,}"
        share = f"{standing.seen:,}{expected} rows of {standing.table}"
        note = f"; held back: {standing.note}" if standing.note else ""
        say(f"{colour(f'{standing.state:<9}', 'bold')} {standing.name}  {share}, {standing.written:,} written{note}")
    if not found:
        say("no backfill has begun in this database")
    return 0


def _chain(context: Context) -> str:
    from trueup.chain.header import read_header

    return context.settings.name or str(read_header(context.folder)["chain"])
