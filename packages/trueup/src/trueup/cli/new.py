"""`trueup new`: a new migration file, numbered behind the last one."""

from __future__ import annotations

import re
from pathlib import Path

import click

from trueup.chain.files import read_files
from trueup.cli.common import Context, pass_context
from trueup.cli.output import say
from trueup.errors import UsageError


@click.command("new")
@click.argument("name")
@pass_context
def command(context: Context, name: str) -> int:
    """Make NNN_NAME.sql, with the next number in the style of the others."""
    slug = re.sub(r"\W+", "_", name.lower()).strip("_")
    if not slug:
        raise UsageError(f"{name!r} has nothing to make a file name of", hint="For example: trueup new add_phone")
    folder = context.folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{next_number(folder)}_{slug}.sql"
    path.write_text(f"-- {name}\n\n")
    if context.as_json:
        context.print_json({"file": str(path)})
    say(str(path))
    return 0


def next_number(folder: Path) -> str:
    """One more than the last file's number, as wide as it; 001 for the first."""
    try:
        numbered = [file.number for file in read_files(folder) if re.fullmatch(r"\d+", file.number)]
    except UsageError:
        numbered = []
    if not numbered:
        return "001"
    last = numbered[-1]
    return str(int(last) + 1).zfill(len(last))
