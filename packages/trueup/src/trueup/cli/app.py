"""The command `trueup`: finds the subcommand, and turns errors into an exit code, a message and a hint.

Subcommands are imported when they are called: start-up time is a feature.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

import click

from trueup import __version__
from trueup.cli.common import Context
from trueup.cli.output import say, say_error
from trueup.errors import TrueupError

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


def _print_error(fields: dict[str, object], exit_code: int, *, as_json: bool) -> None:
    """The one document on standard output, where that was asked for."""
    if as_json:
        click.echo(json.dumps({"error": {**fields, "exit_code": exit_code}}, ensure_ascii=False))


def run(arguments: list[str]) -> None:
    """Run the command line; exits with the code that `docs/commands.md` lists."""
    if "--json" in arguments:  # it may stand anywhere
        arguments = ["--json", *(a for a in arguments if a != "--json")]
    as_json = "--json" in arguments
    try:
        code = group.main(args=arguments, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except TrueupError as error:
        _print_error(error.to_json(), error.exit_code, as_json=as_json)
        say_error(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _print_error({"code": "usage", "message": error.format_message()}, 2, as_json=as_json)
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _print_error({"code": "interrupted", "message": "interrupted"}, 130, as_json=as_json)
        say("interrupted: the step that was running is undone, everything before it is kept")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # a fault of ours: say so, and keep the traceback for the report
        if os.environ.get("TRUEUP_TRACEBACK"):
            raise
        _print_error({"code": "error", "message": f"{type(error).__name__}: {error}"}, 70, as_json=as_json)
        say(f"error: a fault of trueup's own: {type(error).__name__}: {error}")
        say("\nhint: Run it again with TRUEUP_TRACEBACK=1 and report what it prints.")
        sys.exit(70)
