"""`trueup up`: bring the database true."""

from __future__ import annotations

import click

from trueup.cli.common import EXIT_DRIFT, Context, heal_wanted, pass_context
from trueup.config import HEAL


@click.command("up")
@click.option("--to", metavar="STEP", default="", help="only up to this step or migration")
@click.option("--phase", type=click.Choice(["expand", "contract"]), default="expand", help="contract: its steps too")
@click.option("--keep-going", is_flag=True, help="after a failed step, go on with what does not depend on it")
@click.option(
    "--heal", type=click.Choice(HEAL), help="what is missing is made; new: but what was there once; off: is left"
)
@click.option("--no-heal", is_flag=True, help="as --heal off")
@click.option("--strict", is_flag=True, help="exit 7 where anything differs in the end")
@click.option("--first-run", is_flag=True, help="yes, this database is the right one, though it has none of the chain")
@click.option(
    "--terminate-blockers", type=click.Choice(["idle"]), help="end sessions in the way that are idle in a transaction"
)
@click.option("--patient", is_flag=True, help="wait for a table's lock for up to 5 s at a time; others queue behind it")
@pass_context
def command(
    context: Context,
    to: str,
    phase: str,
    keep_going: bool,
    heal: str | None,
    no_heal: bool,
    strict: bool,
    first_run: bool,
    terminate_blockers: str | None,
    patient: bool,
) -> int:
    """Bring the database true: run, complete or reconcile every step, heal what is missing, prove the result."""
    from trueup.cli.bring import bring

    folder, urls = context.folder, context.urls
    special = (
        to
        or phase != "expand"
        or keep_going
        or heal
        or no_heal
        or first_run
        or terminate_blockers
        or patient
        or context.settings
        != type(context.settings)(
            folder=folder,
        )
    )
    options = None
    if special:
        wanted = {"to": to, "contract": phase == "contract", "keep_going": keep_going, "first_run": first_run}
        wanted["ends_idle"], wanted["patient"] = terminate_blockers == "idle", patient
        options = context.options(**wanted, **heal_wanted(heal, no_heal))
    report = bring(urls, folder, as_json=context.as_json, name=context.settings.name, options=options)
    return EXIT_DRIFT if strict and not report.true else 0
