"""Bring the database true."""

from __future__ import annotations

from collections.abc import Callable

import trueup
from prosaas.schema.chains import open_chains


def bring_true(
    urls: trueup.Urls, say: Callable[[str], None], *, keep_going: bool = False, first_run: bool = False
) -> None:
    """Run every chain to its end.

    Args:
        urls: The database.
        say: Gets each line that a person or an operator's search should see.
        keep_going: Run the steps that do not depend on a failed one too; it fails all the same.
        first_run: The database has tables of others, but none of ours, and that is right.

    Raises:
        trueup.TrueupError: The schema is not up to date; what was done before stays done.
    """

    def on_event(event: trueup.Event) -> None:
        if event.kind != "step_started":  # one line per step
            say(event.text)

    with open_chains() as chains:
        for number, chain in enumerate(chains):
            # Whether this is the right database is asked of the first chain; the others come to tables that are there.
            options = trueup.Options(keep_going=keep_going, first_run=first_run or number > 0)
            report = trueup.up(urls, chain.path, name=chain.name, options=options, on_event=on_event)
            for drift in report.drift:
                say(f"differs: {drift.fact}: wanted {drift.wanted}, found {drift.found}")
            say(f"schema {chain.name}: {'true' if report.true else 'up to date, but it differs as said above'}")
