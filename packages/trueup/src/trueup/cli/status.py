"""`trueup status`: where the database stands, in a few lines."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import colour, say, show_conclusion, show_conflicts, show_drift, show_steps, summary
from trueup.report import Report


@click.command("status")
@pass_context
def command(context: Context) -> int:
    """Show where the database stands and which steps are not done. Writes nothing."""
    options = context.options(first_run=True)
    report = api.plan(context.urls, context.folder, name=context.settings.name, options=options)
    context.print_report(report, _show)
    return 0


def _show(report: Report) -> None:
    anchor = report.anchor
    where = anchor["step"] or "before the first step"
    say(f"chain     {report.chain}, {anchor['of']} steps")
    say(f"reached   through {report.topology}")
    say(f"stands    {where} ({anchor['index']} of {anchor['of']}, {anchor['distance']} facts from it)")
    say(f"steps     {summary(report)}")
    open_steps = [s for s in report.steps if s.verdict not in ("skip", "reconcile", "conflict")]
    if open_steps:
        say("")
        show_steps(open_steps, statements=False)
    show_drift(report)
    show_conflicts(report.conflicts)
    if report.up_to_date:
        show_conclusion(report)
    else:
        say(colour("\nnot up to date", "yellow") + ": `trueup plan` shows what `trueup up` would send")
