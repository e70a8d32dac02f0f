"""`trueup lint`: what is dangerous about the steps to come, and the safe form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from trueup.cli import findings
from trueup.cli.common import EXIT_FINDINGS, Context, pass_context
from trueup.cli.output import say
from trueup.connect.urls import Urls
from trueup.errors import LockFileError, UsageError
from trueup.planning.hazards import RULES, Finding, Level, Lint, find

FORMATS = ("text", "json", "sarif", "github")


class _Source(NamedTuple):
    """What is looked at: `folder` is what the findings' paths are relative to, `what` says it to a person."""

    lint: Lint
    folder: Path
    what: str = ""


@click.command("lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "everything", is_flag=True, help="all steps, not only those that the database lacks")
@click.option("--info", is_flag=True, help="matters of taste, and what running code may notice, as well")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="how to tell; text by default")
@click.option("--rules", is_flag=True, help="only list the rules")
@pass_context
def command(context: Context, files: tuple[Path, ...], everything: bool, info: bool, form: str, rules: bool) -> int:
    """Tell what is dangerous about pending steps, or FILES; exit 6 where the author has to do something."""
    form = "json" if context.as_json else form
    if rules:
        findings.show_rules(RULES.values(), as_json=form == "json")
        return 0
    sources = _of_files(context, files, info) if files else [_of_chain(context, everything=everything, info=info)]
    found = [_placed(finding, source.folder) for source in sources for finding in find(source.lint)]
    findings.show(found, form, _counted(len(files), "file") if files else sources[0].what)
    return EXIT_FINDINGS if any(finding.level is Level.WARNING for finding in found) else 0


def _of_chain(context: Context, *, everything: bool, info: bool) -> _Source:
    """The steps that the database lacks, or without a database all of them."""
    from trueup import api

    if not everything and (urls := _urls(context)):
        report = api.plan(
            urls,
            context.folder,
            name=context.settings.name,
            options=context.options(first_run=True, contract=True),
        )
        pending = {step.id for step in report.steps if step.verdict in ("run", "complete", "conflict", "blocked")}
        lint = replace(_with_lock(context.folder, info), chosen=pending, together=True)
        return _Source(lint, context.folder, _counted(len(pending), "pending step"))
    lint = _with_lock(context.folder, info)
    return _Source(lint, context.folder, _counted(len(lint.steps), "step"))


def _of_files(context: Context, files: tuple[Path, ...], info: bool) -> list[_Source]:
    """Files of a chain with what its lock file knows; any other files as they stand."""
    from trueup.chain.files import MigrationFile
    from trueup.chain.steps import read_chain

    of_chains: dict[Path, set[str]] = {}
    alone = []
    for file in files:
        if folder := _chain_of(file, context.folder):
            of_chains.setdefault(folder, set()).add(file.resolve().relative_to(folder).as_posix())
        else:
            alone.append(MigrationFile(str(file), file.read_bytes()))
    sources = []
    for folder, paths in of_chains.items():
        lint = _with_lock(folder, info)
        chosen = {step.id for step in lint.steps if step.path in paths}
        sources.append(_Source(replace(lint, chosen=chosen), folder))
    if alone:
        sources.append(_Source(Lint(steps=read_chain(Path(), files=alone).steps, info=info), Path()))
    return sources


def _chain_of(file: Path, configured: Path) -> Path | None:
    """The folder of the chain that a file belongs to, where that has a lock file."""
    from trueup.chain.header import lock_path

    above = file.resolve().parents
    folders = (configured.resolve(), *above[:2])  # of a Prisma chain the file's folder is the migration
    return next((folder for folder in folders if folder in above and lock_path(folder).is_file()), None)


def _with_lock(folder: Path, info: bool) -> Lint:
    """All steps of a chain, with the effects of those that the lock file knows as they are now."""
    from trueup.chain.lockfile import effects_of, read_entries
    from trueup.chain.steps import read_chain

    steps = read_chain(folder).steps
    try:
        base, entries = read_entries(folder)
    except LockFileError as error:
        say(f"{error.message}: the locks told are those that such statements take, and types are not known")
        return Lint(steps=steps, info=info)
    known = 0
    for step, entry in zip(steps, entries, strict=False):
        if (step.id, step.hash) != (entry["id"], entry["hash"]):
            break
        known += 1
    return Lint(steps=steps, effects=effects_of(entries[:known]), base=base, info=info)


def _urls(context: Context) -> Urls | None:
    """The database's URLs; None where none is given."""
    try:
        return context.urls
    except UsageError:
        if context.database_url:
            raise
        return None


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _placed(finding: Finding, folder: Path) -> Finding:
    """The finding with its path as seen from the current folder."""
    path = (folder / finding.path).resolve()
    here = Path.cwd()
    return replace(finding, path=str(path.relative_to(here) if path.is_relative_to(here) else path))
