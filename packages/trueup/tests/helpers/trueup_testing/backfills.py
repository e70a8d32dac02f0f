"""A statement run in batches, as a run with no other step does it."""

from __future__ import annotations

import contextlib
from typing import Any

from trueup.chain.model import Batches
from trueup.connect.link import Link
from trueup.connect.topology import Topology
from trueup.planning.backfill import backfill_of
from trueup.planning.model import Action
from trueup.run import ledger
from trueup.run.acquire import run_lock
from trueup.run.backfill.work import Progress
from trueup.run.execute import Executor, Limits
from trueup_testing.facts import chain_of, step


def fill(
    url: str,
    sql: str,
    *,
    said: list[str] | None = None,
    topology: Topology = Topology.DIRECT,
    context: tuple[str, ...] = (),
    limits: Limits | None = None,
    **wish: Any,
) -> list[Progress]:
    """Run a statement in batches of ten rows, or as `wish` says; its progress, the last one last."""
    made = chain_of(step(sql, backfill=Batches(**{"size": 10, **wish})))
    (one,) = made.steps
    progress: list[Progress] = []
    action = Action(
        step=0,
        id=one.id,
        verdict="run",
        reason="because",
        statements=one.statements,
        context=context,
        backfill=backfill_of(one),
    )
    with contextlib.closing(Link(url, "DATABASE_URL", topology=topology)) as link:
        ledger.ensure(link.conn)
        with run_lock(link, "shop", wait_seconds=5) as lease:
            Executor(
                link,
                made.chain,
                lease,
                run_id="r1",
                by="me@here",
                limits=limits or Limits(),
                on_wait=(said if said is not None else []).append,
                on_progress=lambda told: progress.append(told) if isinstance(told, Progress) else None,
            ).run(action)
    return progress
