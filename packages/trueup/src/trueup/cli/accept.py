"""`trueup accept`: known drift, written to a committed file."""

from __future__ import annotations

import click

from trueup import api
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say
from trueup.errors import UsageError
from trueup.run.accepted import accept


@click.command("accept")
@click.argument("facts", nargs=-1, required=True, metavar="FACT…")
@click.option("--because", required=True, metavar="REASON", help="why it is right that it differs")
@pass_context
def command(context: Context, facts: tuple[str, ...], because: str) -> int:
    """Accept differences by name and by the value found: `check` and `--strict` then let them pass."""
    report = api.plan(context.urls, context.folder, name=context.settings.name, options=context.options())
    known = {d.fact: d for d in (*report.drift, *report.accepted)}
    if unknown := [fact for fact in facts if fact not in known]:
        raise UsageError(
            f"nothing differs that is called {unknown[0]!r}",
            hint="What differs here: " + ("; ".join(known) or "nothing"),
        )
    path = accept(context.folder, [known[fact] for fact in facts], because)
    if context.as_json:
        context.print_json({"file": str(path), "accepted": list(facts)})
    say(f"{path}: {len(facts)} accepted. Commit it with the migrations.")
    return 0
