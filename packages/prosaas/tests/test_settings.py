"""Settings, and the errors they end with."""

from __future__ import annotations

import socket

import pytest

from prosaas.api.serve import listen
from prosaas.database import sqlalchemy_url
from prosaas.errors import PortInUse, SettingsError
from prosaas.settings import Settings, load_settings

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("no_database")]


def test_defaults_need_no_environment() -> None:
    settings = load_settings()

    assert settings.port == 8000
    assert not settings.run_migrations
    assert not settings.has_database


def test_the_pooler_is_the_default_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://plain/db")
    monkeypatch.setenv("DATABASE_URL_DIRECT", "postgresql://direct/db")
    assert load_settings().url == "postgresql://plain/db"

    monkeypatch.setenv("DATABASE_URL_POOLER", "postgresql+psycopg://pooler/db")
    assert load_settings().url == "postgresql://pooler/db"
    assert load_settings().urls.direct == "postgresql://direct/db"


def test_the_direct_url_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_DIRECT", "postgresql://direct/db")

    assert load_settings().url == "postgresql://direct/db"


def test_no_url_says_which_variables_there_are() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL_POOLER") as caught:
        _ = load_settings().url

    assert "prosaas up" in caught.value.hint


@pytest.mark.parametrize(
    "name,value", [("PORT", "http"), ("PORT", "70000"), ("RUN_MIGRATIONS", "perhaps"), ("LOG_LEVEL", "LOUD")]
)
def test_a_value_that_means_nothing_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=rf"{name}='{value}'"):
        load_settings()


def test_mending_commands_are_the_deployment_s_own() -> None:
    assert Settings().migrate_command == "prosaas migrate"
    assert Settings(prosaas_deployment="compose").migrate_command == (
        "docker compose -f docker-compose.yml -f docker-compose.prod.yml run --rm migrate"
    )


def test_sqlalchemy_gets_psycopg_3_and_keeps_the_socket() -> None:
    url = sqlalchemy_url("postgresql://postgres@/app?host=/run/pg&port=5433")

    assert url.drivername == "postgresql+psycopg"
    assert url.query == {"host": "/run/pg", "port": "5433"}


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1 is in use") as caught:
            listen(Settings(port=port))

    assert f"PORT={port + 1}" in caught.value.hint
