"""`trueup lock`: learn what every step does on a scratch server, write trueup.lock."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from trueup.chain.header import lock_path, read_header
from trueup.chain.lockfile import load_locked
from trueup.chain.model import Step
from trueup.chain.steps import read_chain
from trueup.cli.common import EXIT_FINDINGS, Context, pass_context
from trueup.cli.output import say
from trueup.config import setup_sql
from trueup.errors import LockFileError
from trueup.words import counted

_TOLD_EVERY = 25  # steps


@click.command("lock")
@click.option("--check", "only_check", is_flag=True, help="change nothing; exit 6 where the lock file does not fit")
@click.option("--scratch-setup", metavar="FILE", help="what the chain takes for granted: a file of SQL, or `supabase`")
@click.option("--merge-driver", "install", is_flag=True, help="let this clone's git merge lock files with trueup")
@click.option("--merge", nargs=2, metavar="OURS PATH", help="what git then calls")
@pass_context
def command(
    context: Context, only_check: bool, scratch_setup: str | None, install: bool, merge: tuple[str, str] | None
) -> int:
    """Replay what has changed on a scratch server, and write the lock file."""
    if merge:
        return _merge(context, Path(merge[0]), Path(merge[1]))
    settings = context.settings
    if install:
        return _install(context)
    chain = read_chain(context.folder, name=settings.name)
    if only_check:
        return _check(context)
    from trueup.scratch.lock import learn, save, unexplained

    setup = settings.setup if scratch_setup is None else setup_sql(scratch_setup)
    started = time.monotonic()
    learnt = 0

    def count(step: object) -> None:
        nonlocal learnt
        learnt += 1
        if sys.stderr.isatty() and learnt % _TOLD_EVERY == 0:
            sys.stderr.write(f"\r{learnt} steps learnt")

    locked = learn(chain, scratch_url=settings.scratch_url, setup=setup, on_step=count)
    path = save(locked)
    if sys.stderr.isatty() and learnt >= _TOLD_EVERY:
        sys.stderr.write("\r")
    facts = len({key for effect in locked.effects for key in effect.keys})
    took = time.monotonic() - started
    silent = unexplained(locked)
    if context.as_json:
        done = {"lock_file": str(path), "steps": len(chain.steps), "learnt": learnt, "facts": facts}
        context.print_json({**done, "warnings": [_warning(step) for step in silent]})
    else:
        say(
            f"{path}: {counted(len(chain.steps), 'step')}, {counted(facts, 'fact')}, {learnt} learnt anew "
            f"in {took:.1f} s on PostgreSQL {locked.scratch_major}",
        )
        for step in silent:
            say(f"warning: {step.id} ({step.path}:{step.line}) {_SILENT}")
    return 0


def _install(context: Context) -> int:
    from trueup.scratch.merge import install

    driver = install(context.folder)
    if context.as_json:
        context.print_json({"driver": driver})
    say(f"git merges {lock_path(context.folder)} with: {driver}\n\nNext: commit {context.folder}/.gitattributes")
    return 0


def _merge(context: Context, ours: Path, path: Path) -> int:
    from trueup.config import load
    from trueup.scratch.merge import merge

    settings = load(Path(context.config) if context.config else None, migrations=str(path.parent))
    merge(ours, path, name=settings.name, scratch_url=settings.scratch_url, setup=settings.setup)
    return 0


_SILENT = "leaves nothing to read in the catalog; add a `-- done when: SELECT …`"


def _warning(step: Step) -> dict[str, object]:
    return {"step": step.id, "path": step.path, "line": step.line, "message": _SILENT}


def _check(context: Context) -> int:
    chain = read_chain(context.folder, name=context.settings.name)
    why = ""
    try:
        load_locked(chain)
        if read_header(chain.folder)["files"] != chain.digest:
            why = "comments or names have changed since the lock file was written"
    except LockFileError as error:
        why = error.message
    if why:
        if context.as_json:
            context.print_json({"fits": False, "why": why})
        say(f"{lock_path(chain.folder)} does not fit: {why}\n\nhint: Run `trueup lock` and commit it.")
        return EXIT_FINDINGS
    if context.as_json:
        context.print_json({"fits": True})
    else:
        say(f"{lock_path(chain.folder)} fits its {counted(len(chain.steps), 'step')}")
    return 0
