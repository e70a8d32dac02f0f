"""`trueup check`: is it true? For CI, health checks and workers."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import EXIT_FINDINGS, Context, pass_context


@click.command("check")
@click.option("--phase", type=click.Choice(["expand", "contract"]), default="expand", help="contract: its steps too")
@pass_context
def command(context: Context, phase: str) -> int:
    """Exit 0 where the database is true, 6 where it is not. Writes nothing."""
    usual = phase == "expand" and context.settings.heal == "on"
    options = None if usual else context.options(contract=phase == "contract")
    report = api.check(context.urls, context.folder, name=context.settings.name, options=options)
    if context.as_json:
        context.print_json(report.to_json())
    else:
        from trueup.cli.output import say, show_conclusion, show_conflicts, show_drift, summary

        if not report.up_to_date:
            say(f"not up to date: {summary(report)}; `trueup plan` shows what `trueup up` would send")
        show_drift(report)
        show_conflicts(report.conflicts)
        show_conclusion(report)
    return 0 if report.true else EXIT_FINDINGS
