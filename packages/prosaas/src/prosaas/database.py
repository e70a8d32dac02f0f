"""The connection to the database for ordinary work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

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


def first_line(error: SQLAlchemyError) -> str:
    """The server's own first line, without the statement and its parameters."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def sqlalchemy_url(url: str) -> URL:
    """The same URL, with psycopg 3 as SQLAlchemy's driver."""
    return make_url(url).set(drivername="postgresql+psycopg")
