"""Which way a run takes, and what it says about it."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import trueup
from trueup.connect import link as link_module
from trueup.connect.connection import connect_within
from trueup.connect.link import Link, choose
from trueup.connect.urls import Urls
from trueup.errors import ConnectionFailed, UsageError
from trueup_testing.chains import Files, Locksmith, write_chain
from trueup_testing.command import clean_environment, run_trueup
from trueup_testing.databases import Databases, execute, name_of, value
from trueup_testing.pooler import BINARY, Pooler

pytestmark = pytest.mark.pg

needs_pooler = pytest.mark.skipif(BINARY is None, reason="PgBouncer is not installed")

CHAIN: Files = {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);", "002_b.sql": "INSERT INTO a VALUES (1);"}
DEAF = "postgresql://me:s3cret@127.0.0.1:{port}/db"


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield DEAF.format(port=listening.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path, locksmith: Locksmith) -> Path:
    return locksmith.lock(write_chain(tmp_path / "shop" / "migrations", CHAIN))


def said_by(urls: Urls) -> tuple[Link, list[str]]:
    said: list[str] = []
    return choose(urls, Link(urls.default, urls.name), said.append), said


def test_without_direct_there_is_nothing_to_choose(database: str) -> None:
    for name in ("DATABASE_URL", "POOLER", "DIRECT"):
        link, said = said_by(Urls(database, name=name))
        link.close()
        assert [f"Using {name}"] == said


@needs_pooler
def test_direct_is_used_where_it_answers(databases: Databases, database: str) -> None:
    with Pooler(databases.server_url, mode="transaction", size=2) as pooler:
        link, said = said_by(Urls(pooler.url(name_of(database)), database, "POOLER"))

        assert ["Using DIRECT"] == said
        assert ("DIRECT", "direct") == (link.chosen, link.topology.value)
        link.close()


def test_where_direct_does_not_answer_the_pooler_is_kept(
    database: str, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 5.0 == link_module.DIRECT_SECONDS
    monkeypatch.setattr(link_module, "DIRECT_SECONDS", 0.6)
    started = time.monotonic()
    link, said = said_by(Urls(database, deaf, "POOLER"))

    assert ["Using POOLER (DIRECT unavailable - locked)"] == said
    assert "POOLER" == link.chosen
    assert 0.6 <= time.monotonic() - started < 4
    link.close()


def test_a_server_that_only_follows_another_one_is_not_taken(database: str) -> None:
    says_so = "CREATE FUNCTION follows.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'"
    execute(database, "CREATE SCHEMA follows", says_so)
    standby = f"{database} options='-csearch_path=follows,pg_catalog'"
    link, said = said_by(Urls(database, standby, "POOLER"))

    assert ["Using POOLER (DIRECT unavailable - locked)"] == said
    assert "POOLER" == link.chosen
    link.close()


def test_the_seconds_count_a_slow_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        time.sleep(1)
        raise psycopg.OperationalError

    monkeypatch.setattr(psycopg, "connect", slow)
    started = time.monotonic()
    with pytest.raises(ConnectionFailed, match=r"no answer within 0\.4 seconds"):
        connect_within("postgresql://me:s3cret@slow.example/db", 0.4)

    assert time.monotonic() - started < 1


def test_two_databases_are_no_choice(databases: Databases, database: str) -> None:
    with contextlib.closing(Link(database, "POOLER")) as link, pytest.raises(UsageError, match="different databases"):
        choose(Urls(database, databases.create(), "POOLER"), link, lambda _: None)


def test_no_password_is_in_what_is_said(
    database: str, deaf: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "DIRECT_SECONDS", 0.3)
    events: list[trueup.Event] = []
    report = trueup.up(Urls(database, deaf, "POOLER"), folder, on_event=events.append)

    assert "s3cret" not in " ".join(event.text for event in events)
    assert ("POOLER", "direct", True) == (report.chosen, report.topology, report.true)


@needs_pooler
def test_direct_is_tried_only_when_there_is_work(
    databases: Databases, database: str, deaf: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "DIRECT_SECONDS", 0.3)
    with Pooler(databases.server_url, mode="transaction", size=1) as pooler:
        urls = Urls(pooler.url(name_of(database)), deaf, "POOLER")
        events: list[trueup.Event] = []
        report = trueup.up(urls, folder, on_event=events.append)
        monkeypatch.setattr(link_module, "DIRECT_SECONDS", 60.0)
        again = trueup.up(urls, folder)

    assert 1 == sum(event.text.startswith("Using ") for event in events)
    assert ("transaction pooling", "POOLER", True) == (report.topology, report.chosen, report.true)
    assert ("pooled", True) == (again.topology, again.true)


@needs_pooler
def test_the_command_says_it_once_and_status_tells_the_topology(
    databases: Databases, database: str, folder: Path
) -> None:
    with Pooler(databases.server_url, mode="session", size=2) as pooler:
        variables = {"DATABASE_URL_POOLER": pooler.url(name_of(database)), "DATABASE_URL_DIRECT": database}
        environment = clean_environment(**variables)
        status = run_trueup("--migrations", folder, "--json", "status", environment=environment)
        up = run_trueup("--migrations", folder, "--json", "up", environment=environment)
        after = run_trueup("--migrations", folder, "status", environment=environment)

    assert ("session pooling", "POOLER") == (status.json["topology"], status.json["chosen"])
    assert ("direct", "DIRECT", True) == (up.json["topology"], up.json["chosen"], up.json["true"])
    assert 1 == up.err.count("Using DIRECT")
    assert "session pooling" in after.err
    assert 1 == value(database, "SELECT count(*) FROM a")
