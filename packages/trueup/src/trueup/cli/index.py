"""`trueup index`: the index builds alone."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say
from trueup.cli.progress import Watching


@click.command("index")
@click.argument("steps", nargs=-1, metavar="[STEP…]")
@click.option(
    "--terminate-blockers", type=click.Choice(["idle"]), help="end sessions in the way that are idle in a transaction"
)
@pass_context
def command(context: Context, steps: tuple[str, ...], terminate_blockers: str | None) -> int:
    """Build the indexes that are missing or invalid, CONCURRENTLY, one after the other, and do nothing else."""
    with Watching() as watching:
        report = api.index(
            context.urls,
            context.folder,
            name=context.settings.name,
            steps=steps,
            options=context.options(ends_idle=terminate_blockers == "idle"),
            on_event=watching,
        )
    context.print_report(report, lambda report: say(f"done ({report.ms / 1000:.1f} s)"))
    return 0
