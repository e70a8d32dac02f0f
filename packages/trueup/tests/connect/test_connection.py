"""Opening connections."""

from __future__ import annotations

import socket

import pytest

from trueup.connect.connection import connect, is_pooled
from trueup.errors import ConnectionFailed

pytestmark = pytest.mark.pg


def test_a_connection_commits_by_itself_and_prepares_nothing(database: str) -> None:
    with connect(database) as conn:
        for _ in range(10):
            conn.execute("SELECT %s::int", (1,))
        prepared = conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        name = conn.execute("SHOW application_name").fetchone()

        assert conn.autocommit
        assert (0,) == prepared
        assert ("trueup",) == name


def test_a_server_itself_is_no_pooler(database: str) -> None:
    with connect(database) as conn:
        assert not is_pooled(conn)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@127.0.0.1:{port}/db",
        "postgresql://u:s3@cret@127.0.0.1:{port}/db",
        "postgresql://u:s3%zzcret@127.0.0.1:{port}/db",
        "postgresql://u:s3 cret@127.0.0.1:{port}/db",
        "postgresql://127.0.0.1:{port}/db?password=s3cret&user=u",
        "host=127.0.0.1 port={port} password='s3 cret'",
        "u:s3cret@127.0.0.1:{port}/db",
    ],
)
def test_no_connection_names_the_url_without_its_password(url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = probe.getsockname()[1]
        with pytest.raises(ConnectionFailed) as caught:
            connect(url.format(port=port))

    said = f"{caught.value.to_json()} {caught.value}"
    assert 5 == caught.value.exit_code
    assert str(port) in said
    assert "s3" not in said
    assert "cret" not in said


def test_an_unknown_database_is_no_connection(database: str) -> None:
    with pytest.raises(ConnectionFailed, match='database "no_such" does not exist'):
        connect(f"{database} dbname=no_such")
