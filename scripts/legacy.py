"""Load the legacy database, to try `trueup` on one that is not clean.

With DATABASE_URL set, it is loaded there, into an empty database. Otherwise a PostgreSQL of its own is started on
`.data/legacy`, a fresh copy is loaded, and the server runs until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import psycopg

import trueup
from prosaas.schema.chains import EXTENSIONS

ROOT = Path(__file__).resolve().parent.parent
DUMP = ROOT / "packages" / "prosaas" / "tests" / "legacy" / "legacy.sql"
DATA = ROOT / ".data" / "legacy"
NAME = "legacy"


def load(url: str) -> str:
    """Load the dump; a sentence of what is there now."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
        if tables and tables[0]:
            sys.exit(f"error: wanted an empty database, found {tables[0]} tables; nothing was loaded")
        connection.execute(DUMP.read_bytes())
        tables = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
    return f"loaded {DUMP.relative_to(ROOT)}: {tables[0] if tables else 0} tables"


def main() -> None:
    """Load it, and keep the server running where it is ours."""
    if url := os.environ.get("DATABASE_URL"):
        print(load(url))
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),  # how it is meant to end
        trueup.Server.start(trueup.choose(trueup.find_installations(), EXTENSIONS), DATA, durable=True) as server,
    ):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {NAME}".encode())
        print(load(server.url(NAME)))
        print(f"\nexport DATABASE_URL='{server.url(NAME)}'\n")
        print("In another terminal: that line, then")
        print(".venv/bin/trueup --migrations packages/prosaas/src/prosaas/migrations plan")
        print("Ctrl-C stops the server; the next `make legacy` loads it afresh.", flush=True)
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except trueup.TrueupError as error:
        sys.exit(f"error: {error.message}\n\nhint: {error.hint}")
    except psycopg.Error as error:
        sys.exit(
            f"error: {str(error).strip()}\n\nhint: Is DATABASE_URL right, an empty database, and its role a superuser?"
        )
