"""`trueup plan`: what `up` would do, statement by statement, and why."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import EXIT_FINDINGS, Context, heal_wanted, pass_context
from trueup.cli.output import colour, say, show_conclusion, show_conflicts, show_drift, show_steps, summary
from trueup.config import HEAL
from trueup.report import Report
from trueup.words import counted


@click.command("plan")
@click.option("--to", metavar="STEP", default="", help="only up to this step or migration")
@click.option("--phase", type=click.Choice(["expand", "contract"]), default="expand", help="contract: its steps too")
@click.option("--heal", type=click.Choice(HEAL), help="as `up --heal` would do")
@click.option("--no-heal", is_flag=True, help="as `up --no-heal` would do")
@click.option("--exit-code", is_flag=True, help="exit 6 where there is anything to do")
@click.option("--first-run", is_flag=True, help="as `up --first-run` would do")
@pass_context
def command(
    context: Context,
    to: str,
    phase: str,
    heal: str | None,
    no_heal: bool,
    exit_code: bool,
    first_run: bool,
) -> int:
    """Show every statement that `up` would send, with the reason. Writes nothing."""
    wanted = {"to": to, "contract": phase == "contract", "first_run": first_run}
    options = context.options(**wanted, **heal_wanted(heal, no_heal))
    report = api.plan(context.urls, context.folder, name=context.settings.name, options=options)
    context.print_report(report, show_plan)
    return EXIT_FINDINGS if exit_code and not report.up_to_date else 0


def show_plan(report: Report) -> None:
    """Where the database stands, what will be sent, what differs, what a person must decide."""
    anchor = report.anchor
    where = (
        f"after {anchor['step']} ({anchor['index']} of {anchor['of']} steps)"
        if anchor["step"]
        else "before the first step"
    )
    say(f"The database stands {where}.\n{summary(report)}.")
    quiet = [s for s in report.steps if s.verdict == "reconcile"]
    loud = [s for s in report.steps if s.verdict in ("heal", "run", "complete", "assume")]
    if quiet:
        are = f"{counted(len(quiet), 'step')} {'is' if len(quiet) == 1 else 'are'}"
        say(colour(f"\n{are} there already and will only be marked", "dim"))
    if loud:
        say("")
        show_steps(loud, statements=True)
    show_drift(report)
    show_conflicts(report.conflicts)
    if report.conflicts:
        say("\n`trueup up` runs nothing before that is decided.")
    show_conclusion(report)
