"""The command `prosaas`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import click

import trueup
from prosaas.errors import ProsaasError
from prosaas.settings import load_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="prosaas")
def main() -> None:
    """The backend of a CRM and call centre. Settings come from the environment."""


def _says_errors(command: Callable[..., int | None]) -> Callable[..., None]:
    """End with an error's exit code, and say on standard error what happened and what to do next."""

    @functools.wraps(command)
    def wrapped(*args: object, **options: object) -> None:
        try:
            code = command(*args, **options)
        except (ProsaasError, trueup.TrueupError) as error:
            click.echo(f"error: {error.message}", err=True)
            if error.hint:
                click.echo(f"\nhint: {error.hint}", err=True)
            sys.exit(error.exit_code)
        sys.exit(code or 0)

    return wrapped


def _child_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--stop-with-parent", is_flag=True, hidden=True)(command)


@main.command()
@_says_errors
def up() -> int:
    """Run everything in the foreground: PostgreSQL, schema, API and worker.

    With DATABASE_URL, DATABASE_URL_POOLER or DATABASE_URL_DIRECT set, that server is used and none is started. PORT and
    HOST say where the API listens.
    """
    from prosaas.up.run import run_everything

    return run_everything(load_settings(), say=functools.partial(click.echo, err=True), announce=click.echo)


@main.command()
@_child_option
@_says_errors
def api(*, stop_with_parent: bool) -> None:
    """Serve the API on HOST and PORT. With RUN_MIGRATIONS=1 it migrates first."""
    from prosaas.api.serve import serve
    from prosaas.logs import configure_logging
    from prosaas.up import children

    if stop_with_parent:
        children.stop_with_parent()
    settings = load_settings()
    configure_logging(settings, service="api")
    serve(settings)


@main.command()
@_child_option
@_says_errors
def worker(*, stop_with_parent: bool) -> int:
    """Take jobs from the queues. Ends with 1 if the schema is not up to date."""
    from prosaas.logs import configure_logging
    from prosaas.up import children
    from prosaas.worker.main import run_worker

    if stop_with_parent:
        children.stop_with_parent()
    settings = load_settings()
    configure_logging(settings, service="worker")
    return run_worker(settings)


@main.command()
@click.option("--keep-going", is_flag=True, help="Also run the steps that do not depend on a failed one.")
@click.option(
    "--first-run", is_flag=True, help="The database has tables of others and none of ours, and that is right."
)
@_says_errors
def migrate(*, keep_going: bool, first_run: bool) -> None:
    """Bring the database true."""
    from prosaas.schema.migrate import bring_true

    say = functools.partial(click.echo, err=True)
    bring_true(load_settings().urls, say, keep_going=keep_going, first_run=first_run)
