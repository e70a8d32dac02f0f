"""`trueup resolve`: a person's word on a step that the catalog cannot decide."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say, show_event
from trueup.errors import UsageError
from trueup.words import counted


@click.command("resolve")
@click.argument("steps", nargs=-1, metavar="STEP…")
@click.option("--all-data", is_flag=True, help="every data step that a person would have to decide about")
@click.option("--applied", "word", flag_value="applied", help="its work is there: mark it, run nothing")
@click.option("--run", "word", flag_value="run", help="its work is not there: run it now, and mark it")
@pass_context
def command(context: Context, steps: tuple[str, ...], all_data: bool, word: str | None) -> int:
    """Say of steps that they are applied, or that they have to run. Nothing else is done; `trueup up` goes on."""
    if word is None:
        raise UsageError("say --applied or --run", hint="`trueup plan` shows wanted and found for each conflict.")
    if all_data:
        seen = api.plan(
            context.urls, context.folder, name=context.settings.name, options=context.options(first_run=True)
        )
        steps = (*steps, *(conflict.about for conflict in seen.conflicts if conflict.by_word))
    if not steps:
        raise UsageError("no step to resolve", hint="Name one, or say --all-data.")
    options = context.options(first_run=True, **{word: steps})
    report = api.resolve(context.urls, context.folder, name=context.settings.name, options=options, on_event=show_event)
    if context.as_json:
        context.print_json(report.to_json())
    count = counted(len(steps), "step")
    did = (
        f"marked {count} as applied"
        if word == "applied"
        else f"ran {count} and marked {'it' if len(steps) == 1 else 'them'}"
    )
    say(f"{did}; `trueup up` goes on from there")
    return 0
