"""`trueup resolve`: a person's word on a step that the catalog cannot decide."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say
from trueup.errors import UsageError


@click.command("resolve")
@click.argument("steps", nargs=-1, metavar="STEP…")
@click.option("--all-data", is_flag=True, help="every data step that a person would have to decide about")
@click.option("--applied", "word", flag_value="applied", help="its work is there: mark it, run nothing")
@click.option("--run", "word", flag_value="run", help="its work is not there: run it with the next `up`, now")
@pass_context
def command(context: Context, steps: tuple[str, ...], all_data: bool, word: str | None) -> int:
    """Say of a step that it is applied, or that it has to run; then bring the database up to date."""
    if word is None:
        raise UsageError("say --applied or --run", hint="`trueup plan` shows wanted and found for each conflict.")
    if all_data:
        seen = api.plan(
            context.urls, context.folder, name=context.settings.name, options=context.options(first_run=True)
        )
        steps = (*steps, *(s.id for s in seen.steps if s.verdict == "conflict" and "resolve" in s.reason))
    if not steps:
        raise UsageError("no step to resolve", hint="Name one, or say --all-data.")
    options = context.options(first_run=True, **{word: steps})
    report = api.resolve(context.urls, context.folder, name=context.settings.name, options=options)
    if context.as_json:
        context.print_json(report.to_json())
    say(f"{len(steps)} marked as {'applied' if word == 'applied' else 'to run'}; `trueup up` goes on from there")
    return 0
