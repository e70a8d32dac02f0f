"""The chains that make the database: our own, and the job queue's.

The queue's migrations are the SQL files that the installed `procrastinate` package ships. They are not ours to copy
into the repository, so they are read from the package when they are needed, beside the lock file that we keep for them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from procrastinate.schema import SchemaManager

HERE = Path(str(files("prosaas")))
LOCK_NAME = "trueup.lock"
QUEUE_LOCK = HERE / "schema" / "queue.lock"

#: What the chains create with CREATE EXTENSION: a server of our own must have them.
EXTENSIONS = frozenset({"btree_gist", "pg_trgm"})

#: The tables without which no worker takes work.
NEEDED = ("business", "leads", "receipts", "gmail_receipts", "worker_heartbeats")


@dataclass(frozen=True)
class Chain:
    """A folder of migrations with its lock file, and the tables without which no work may start."""

    name: str
    path: Path
    needed: tuple[str, ...]


@contextmanager
def open_chains() -> Iterator[tuple[Chain, ...]]:
    """All chains, in the order in which they are brought true. The queue's folder is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="prosaas-") as root:
        queue = Path(root) / "procrastinate" / "migrations"
        write_queue_chain(queue)
        yield (
            Chain("prosaas", HERE / "migrations", NEEDED),
            Chain("procrastinate", queue, ("procrastinate_jobs", "procrastinate_workers")),
        )


def write_queue_chain(folder: Path) -> None:
    """Copy the queue's migrations, and the lock file if there is one, to a folder."""
    folder.mkdir(parents=True)
    for source in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        shutil.copyfile(source, folder / source.name)
    if QUEUE_LOCK.exists():
        shutil.copyfile(QUEUE_LOCK, folder / LOCK_NAME)
