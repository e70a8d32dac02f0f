"""`trueup history`: what was run, when, by whom, how long."""

from __future__ import annotations

import click

from trueup.chain.header import read_header
from trueup.cli.common import Context, pass_context
from trueup.cli.output import colour, say


@click.command("history")
@click.option("--last", type=int, default=0, metavar="N", help="only the last N steps")
@pass_context
def command(context: Context, last: int) -> int:
    """Show the ledger, oldest first. Writes nothing."""
    from trueup.connect.connection import connect
    from trueup.run import ledger

    name = context.settings.name or read_header(context.folder)["chain"]
    with connect(context.urls.default) as conn:
        entries = ledger.history(conn, name)
    entries = entries[-last:] if last else entries
    if context.as_json:
        context.print_json({"chain": name, "history": entries})
        return 0
    if not entries:
        say(f"nothing was run here for the chain {name}")
    for entry in entries:
        took = colour(f"{entry['ms']:.0f} ms", "dim")
        say(f"{entry['applied_at']}  {entry['verdict']:<9} {entry['id']}  {entry['by']}  {took}")
    return 0
