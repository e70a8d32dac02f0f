"""`trueup init`: a new project."""

from __future__ import annotations

from pathlib import Path

import click

from trueup.cli.common import Context, pass_context
from trueup.cli.output import say
from trueup.errors import UsageError

_CONFIG = """\
[trueup]
migrations = "migrations"

[run]
statement_timeout = "120s"
lock_timeout = "150ms"
lock_wait = "10min"
"""


@click.command("init")
@pass_context
def command(context: Context) -> int:
    """Make a folder of migrations and a trueup.toml here; touches nothing that is there."""
    folder, config = Path(context.migrations or "migrations"), Path("trueup.toml")
    if config.exists() and folder.exists():
        raise UsageError("this is a project already", hint="Write a migration with `trueup new NAME`.")
    folder.mkdir(parents=True, exist_ok=True)
    if not config.exists():
        config.write_text(_CONFIG.replace('"migrations"', f'"{folder}"'))
    if context.as_json:
        context.print_json({"migrations": str(folder), "config": str(config)})
    say(f"made {folder}/ and {config}\n\nNext: trueup new NAME, write SQL, trueup lock, trueup up")
    return 0
