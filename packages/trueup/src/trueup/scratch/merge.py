"""A merge driver for git: two branches that both add migrations end with one lock file.

When git asks how to merge the lock file, the merged migrations are in no folder yet. So the merge of the two commits is
made once more, as a tree only, its migrations are laid out in a temporary folder, and learnt there.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from trueup.chain.grammar import GRAMMAR_VERSION
from trueup.chain.header import LOCK_NAME
from trueup.chain.lockfile import write_lock
from trueup.chain.steps import default_name, read_chain
from trueup.errors import LockFileError, UsageError
from trueup.scratch.lock import learn

_BY_HAND = "Settle the merge of the migrations, then run `trueup lock` and add trueup.lock."


def install(folder: Path) -> str:
    """Make this clone of the repository use the driver for the lock file of a folder; the command that git will run.

    Raises:
        UsageError: the folder is in no repository of git's.
    """
    if _git("rev-parse", "--git-dir", cwd=folder) is None:
        raise UsageError(f"{folder} is in no git repository", hint="Make one with `git init`.")
    attributes = folder / ".gitattributes"
    line = f"{LOCK_NAME} merge=trueup"
    text = attributes.read_text() if attributes.exists() else ""
    if line not in text.splitlines():
        attributes.write_text(f"{text.rstrip()}\n{line}\n".lstrip())
    program = Path(sys.argv[0])
    command = f"'{program.absolute()}' lock --merge %A %P" if program.is_file() else "trueup lock --merge %A %P"
    _git("config", "merge.trueup.name", "learns what the migrations of both sides do", cwd=folder)
    _git("config", "merge.trueup.driver", command, cwd=folder)
    return command


def merge(ours: Path, path: Path, *, name: str, scratch_url: str, setup: str) -> None:
    """What git calls: write the lock file of the merged migrations over `ours`; `path` is where it will be.

    Raises:
        LockFileError: the migrations cannot be merged, or it is not known what is merged.
        TrueupError: they cannot be learnt.
    """
    with tempfile.TemporaryDirectory(prefix="trueup-merge-") as work:
        _lay_out(_merged_tree(path.parent), path.parent, Path(work))
        (Path(work) / LOCK_NAME).write_bytes(ours.read_bytes())
        chain = read_chain(work, name=name or default_name(path.parent))
        locked = learn(chain, scratch_url=scratch_url, setup=setup)
        ours.write_text(write_lock(locked, grammar=GRAMMAR_VERSION))


def _merged_tree(folder: Path) -> str:
    """The tree of HEAD and of the commit that git is merging, merged."""
    heads = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    if len(heads) != 1:
        raise LockFileError("git does not say which commit it is merging, as in a rebase", hint=_BY_HAND)
    as_ours = ("-c", "merge.trueup.driver=true")  # the program that does nothing: not to be asked again
    options = ("--write-tree", "--name-only", "--no-messages")
    said = _git(*as_ours, "merge-tree", *options, "HEAD", heads[0], codes=(0, 1))
    if said is None:
        raise LockFileError("git cannot merge the two commits as trees (it needs git 2.38)", hint=_BY_HAND)
    tree, *conflicts = said.decode().splitlines()
    mine = [name for name in conflicts if Path(name).parent == folder and Path(name).name != LOCK_NAME]
    if mine:
        raise LockFileError(f"both sides have changed {', '.join(mine)}", hint=_BY_HAND)
    return tree


def _lay_out(tree: str, folder: Path, target: Path) -> None:
    archive = _git("archive", "--format=tar", tree if folder == Path() else f"{tree}:{folder.as_posix()}")
    with tarfile.open(fileobj=io.BytesIO(archive or b"")) as files:
        files.extractall(target, filter="data")


def _git(*arguments: str, cwd: Path | None = None, codes: tuple[int, ...] = (0,)) -> bytes | None:
    """What git says; None where it fails."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=False)
    return done.stdout if done.returncode in codes else None
