"""`trueup release-run-lock`: take the lock from a holder that is gone."""

from __future__ import annotations

import click

from trueup.chain.header import read_header
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say


@click.command("release-run-lock")
@pass_context
def command(context: Context) -> int:
    """Free the run lock of this chain, whoever holds it, and end the session that the lock records.

    A run that still holds it can commit nothing more under it; it then waits for the lock like any other. It is not
    needed after a crash: a lock whose holder is gone runs out by itself within half a minute.
    """
    from trueup.connect.connection import connect
    from trueup.run.acquire import free

    name = context.settings.name or read_header(context.folder)["chain"]
    with connect(context.urls.default) as conn:
        freed = free(conn, name)
    if context.as_json:
        context.print_json({"chain": name, "released": freed.holder, "ended_backend": freed.ended})
    if not freed.holder:
        say(f"nobody holds the migration lock of the chain {name}")
        return 0
    say(f"released: it was held by {freed.holder}")
    if freed.ended:
        say(f"its session, backend {freed.ended}, was ended")
    return 0
