"""The chains that make the database: our own, and the job queue's.

The queue's migrations are the SQL files that the installed `procrastinate` package ships. They are not ours to copy
into the repository, so they are read from the package when they are needed, beside the lock file that we keep for them.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from procrastinate.schema import SchemaManager

HERE = Path(str(files("prosaas")))
LOCK_NAME = "trueup.lock"
QUEUE_LOCK = HERE / "schema" / "queue.lock"

#: What the chains create with CREATE EXTENSION: a server of our own must have them.
EXTENSIONS = frozenset({"btree_gist", "pg_trgm"})


@dataclass(frozen=True)
class Chain:
    """A folder of migrations with its lock file, and the tables without which no work may start."""

    name: str
    path: Path
    needed: tuple[str, ...]


def chains() -> tuple[Chain, ...]:
    """All chains, in the order in which they are brought true."""
    return (
        Chain("prosaas", HERE / "migrations", ("business", "leads", "receipts", "gmail_receipts", "worker_heartbeats")),
        Chain("procrastinate", queue_chain(), ("procrastinate_jobs", "procrastinate_workers")),
    )


@functools.cache
def queue_chain() -> Path:
    """The queue's migrations and our lock file in one folder, which lasts as long as this process."""
    root = Path(tempfile.mkdtemp(prefix="prosaas-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = root / "procrastinate" / "migrations"  # a chain is named after its folder's parent
    write_queue_chain(folder)
    return folder


def write_queue_chain(folder: Path) -> None:
    """Copy the queue's migrations, and the lock file if there is one, to a folder."""
    folder.mkdir(parents=True)
    for source in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        shutil.copyfile(source, folder / source.name)
    if QUEUE_LOCK.exists():
        shutil.copyfile(QUEUE_LOCK, folder / LOCK_NAME)
