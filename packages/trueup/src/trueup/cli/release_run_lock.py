"""`trueup release-run-lock`: take the lock from a holder that is gone."""

from __future__ import annotations

import click

from trueup.chain.header import read_header
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say


@click.command("release-run-lock")
@pass_context
def command(context: Context) -> int:
    """Free the run lock of this chain. A run that still holds it can commit nothing more; it stops at its next step."""
    from trueup.connect.connection import connect
    from trueup.run.lease import release

    name = context.settings.name or read_header(context.folder)["chain"]
    with connect(context.urls.default) as conn:
        holder = release(conn, name)
    if context.as_json:
        context.print_json({"chain": name, "released": holder})
    say(f"released: it was held by {holder}" if holder else "nobody holds the migration lock")
    return 0
