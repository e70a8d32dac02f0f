"""The connection to the database for ordinary work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url

CONNECT_SECONDS = 5

# Behind a transaction pooler a prepared statement may meet another server session than the one that prepared it.
CONNECT_ARGUMENTS: dict[str, Any] = {"prepare_threshold": None, "connect_timeout": CONNECT_SECONDS}


def make_engine(url: str) -> Engine:
    """An engine for a `postgresql://` URL. Connects when it is first used."""
    return create_engine(
        sqlalchemy_url(url),
        connect_args=CONNECT_ARGUMENTS,
        pool_pre_ping=True,
        use_native_hstore=False,
    )


def sqlalchemy_url(url: str) -> URL:
    """The same URL, with psycopg 3 as SQLAlchemy's driver."""
    return make_url(url).set(drivername="postgresql+psycopg")
