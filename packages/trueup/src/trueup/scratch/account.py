"""Run PostgreSQL when we are root.

PostgreSQL refuses to run as root, so root's servers run as an account without privileges. That account must be able to
reach the binaries, which it cannot where they lie below a private folder (a virtual environment in `/root`, say). Then
they are copied, once, to a place that everyone can read. No permission of any existing folder is changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import ScratchError
from trueup.scratch.binaries import Installation

_ACCOUNTS = ("postgres", "nobody")
_WHEEL_PREFIX = "pginstall"


@dataclass(frozen=True)
class Account:
    """Who the server runs as. `None` as a member means: as we are."""

    uid: int | None
    gid: int | None

    @property
    def groups(self) -> list[int] | None:
        """Supplementary groups for `subprocess`: none of root's may stay."""
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        """Give a path, and everything below it, to this account."""
        if self.uid is None or self.gid is None:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as this account and keep its output."""
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=server_environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
        )

    def can(self, test: str, path: Path) -> bool:
        """Whether `test -<test> path` holds for this account."""
        return self.uid is None or self.run(["/bin/sh", "-c", f'test -{test} "$0"', str(path)]).returncode == 0


def server_environment() -> dict[str, str]:
    """Our environment without what would steer libpq, the server's locale or its time zone."""
    steering = ("PG", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "LC_ALL": "C"}


def account_for(data_dir: Path | None) -> Account:
    """The account that a server on `data_dir` runs as: ours, unless we are root.

    A data folder that exists stays its owner's, so that it opens again after a `postgres` account came to the machine.

    Raises:
        ScratchError: We are root and there is no account to drop to.
    """
    if os.geteuid() != 0:
        return Account(uid=None, gid=None)
    if data_dir is not None and data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue  # it does not exist here; the next may
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    message = f"PostgreSQL does not run as root, and none of the accounts {' and '.join(_ACCOUNTS)} exists here"
    raise ScratchError(message, hint="Add one (useradd --system postgres), or run trueup as an ordinary user.")


def reachable_bin_dir(installation: Installation, account: Account) -> Path:
    """The binaries' folder, or a copy of it where the account cannot reach the original."""
    original = installation.bin_dir
    if account.can("x", original / "postgres") and account.can("r", installation.share_dir / "postgres.bki"):
        return original
    return _copy_of(original, installation.version)


def reachable_folder(folder: Path, account: Account) -> Path:
    """An empty folder, or, where the account cannot reach it, a new one in /var/lib/trueup that takes its place.

    A link is left where the folder was.
    """
    if account.can("w", folder):
        return folder
    parent = Path("/var/lib/trueup")
    parent.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=parent))
    account.own(target)
    if not account.can("w", target):
        message = f"neither {folder} nor {target} can be used by the account of the server (uid {account.uid})"
        raise ScratchError(message, hint="Use a data folder below one that every user may enter.")
    folder.rmdir()
    folder.symlink_to(target)
    return target


def _copy_of(bin_dir: Path, version: str) -> Path:
    """Copy `bin`, `lib` and `share` to a folder that everyone can read; reuse it the next time."""
    prefix = bin_dir.parent
    stamp = f"{bin_dir} {(bin_dir / 'postgres').stat().st_mtime_ns}"
    name = f"trueup-postgresql-{version}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    target = Path("/var/tmp") / name  # noqa: S108 - it outlives a reboot, and its owner is checked below
    # A wheel's libraries lie at `../../../<package>.libs` as seen from `bin`: keep that distance.
    below = Path(prefix.parent.name) / _WHEEL_PREFIX if prefix.name == _WHEEL_PREFIX else Path("prefix")
    if _is_ours(target):
        return target / below / "bin"
    work = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=target.parent))
    for part in ("lib", "share"):
        if (prefix / part).is_dir():
            shutil.copytree(prefix / part, work / below / part, symlinks=True)
    (work / below / "bin").mkdir(parents=True, exist_ok=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(bin_dir / program, work / below / "bin" / program)
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if prefix.name == _WHEEL_PREFIX and libraries.is_dir():
        shutil.copytree(libraries, work / libraries.name, symlinks=True)
    _let_everyone_read(work)
    if target.exists() or target.is_symlink():  # somebody else's: never run from there
        return work / below / "bin"
    try:
        work.rename(target)
    except OSError:  # another run was quicker
        shutil.rmtree(work)
    return target / below / "bin"


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    writable_by_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not writable_by_others


def _let_everyone_read(root: Path) -> None:
    root.chmod(0o755)
    for folder, folders, files in os.walk(root):
        for name in folders:
            Path(folder, name).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
