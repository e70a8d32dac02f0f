"""The PostgreSQL that `prosaas up` starts where no database is named."""

from __future__ import annotations

from pathlib import Path

import psycopg

import trueup
from prosaas.schema.chains import EXTENSIONS

DATABASE = "prosaas"


def start_embedded(data_dir: Path) -> trueup.Server:
    """Start a server on a folder, which is made if it is not there, with the database `prosaas` in it.

    Raises:
        trueup.ScratchError: There are no fitting binaries, or the server did not start.
    """
    folder = data_dir / "postgres"
    found = trueup.find_installations()
    marker = folder / "PG_VERSION"
    if marker.exists():  # data can only be opened by the major version that made it
        fitting = [one for one in found if str(one.major) == marker.read_text().strip()]
        found = fitting or found
    server = trueup.Server.start(trueup.choose(found, EXTENSIONS), folder, durable=True)
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except BaseException:
        server.stop()
        raise
    return server
