"""The command `trueup`: finds the subcommand and its arguments.

Subcommands are imported when they are called: start-up time is a feature.
"""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

import click

from trueup import __version__
from trueup.cli.common import Context
from trueup.cli.ending import ended, print_error

COMMANDS = {
    "init": "a new project: a folder of migrations and a trueup.toml",
    "new": "a new migration file",
    "lock": "learn what every step does, write trueup.lock",
    "plan": "what `up` would do, statement by statement",
    "up": "bring the database true",
    "backfill": "the backfills alone; pause, resume, cancel those at work elsewhere",
    "index": "the index builds alone",
    "status": "where the database stands",
    "history": "what was run, when, by whom, how long",
    "check": "is it true? for CI, health checks and workers",
    "lint": "hazards of the steps to come, with the safe form",
    "resolve": "a person's word on a conflict",
    "accept": "known drift, written to a committed file",
    "release-run-lock": "take the run lock from a holder that is gone",
}


class _Lazy(click.Group):
    """Imports a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"trueup.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="trueup.toml (default: beside the migrations, if there is one)")
@click.option("--migrations", metavar="DIR", help="the folder of migrations (default: migrations)")
@click.option("--database-url", metavar="URL", help="default: DATABASE_URL_POOLER, DATABASE_URL, DATABASE_URL_DIRECT")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on standard output")
@click.version_option(__version__, "-V", "--version", message="trueup %(version)s")
@click.pass_context
def group(
    ctx: click.Context,
    config: str | None,
    migrations: str | None,
    database_url: str | None,
    as_json: bool,
) -> None:
    """PostgreSQL migrations in which the database tells what exists."""
    ctx.obj = Context(
        config=config or "", migrations=migrations or "", database_url=database_url or "", as_json=as_json
    )


def run(arguments: list[str]) -> NoReturn:
    """Run the command line; exits with the code that `docs/commands.md` lists."""
    as_json = "--json" in arguments
    if as_json:  # it may stand anywhere
        arguments = ["--json", *(a for a in arguments if a != "--json")]
    ended(lambda: _called(arguments, as_json=as_json), as_json=as_json)


def _called(arguments: list[str], *, as_json: bool) -> int:
    try:
        code = group.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        print_error({"code": "usage", "message": error.format_message()}, 2, as_json=as_json)
        error.show()
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0
