"""Servers that are really started, with every PostgreSQL on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from trueup.errors import ScratchError
from trueup.scratch.server import Installation, Server, find_installations
from trueup_testing.folders import enterable_folder

pytestmark = pytest.mark.pg

INSTALLATIONS = find_installations()


@pytest.fixture(params=INSTALLATIONS, ids=lambda one: f"pg{one.version}")
def installation(request: pytest.FixtureRequest) -> Installation:
    found: Installation = request.param
    return found


@pytest.fixture
def any_installation() -> Installation:
    if not INSTALLATIONS:
        pytest.skip("no PostgreSQL on this machine")
    return INSTALLATIONS[0]


@pytest.fixture
def folder() -> Iterator[Path]:
    with enterable_folder() as made:
        yield made


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


def wait_until_gone(path: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def test_a_throw_away_server_leaves_nothing(installation: Installation) -> None:
    with Server.start(installation) as server:
        assert str(installation.major) == str(ask(server.url(), "SHOW server_version")).split(".")[0]
        assert ask(server.url(), "SHOW TimeZone") == "UTC"
        assert ask(server.url(), "SHOW server_encoding") == "UTF8"
        assert ask(server.url(), "SHOW fsync") == "off"
        assert not ask(server.url(), "SHOW listen_addresses")
        assert ask(server.url("template1"), "SELECT current_database()") == "template1"
        assert server.socket_dir.stat().st_mode & 0o077 == 0
        base = server.data_dir.parent

    assert not server.running
    assert not base.exists()


def test_extensions_that_are_listed_can_be_created(installation: Installation) -> None:
    with Server.start(installation) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        for name in installation.extensions & {"btree_gist", "citext", "pg_trgm", "pgcrypto"}:
            connection.execute(f"CREATE EXTENSION {name}".encode())


def test_a_durable_server_keeps_its_data(installation: Installation, folder: Path) -> None:
    data = folder / "data"
    with Server.start(installation, data, durable=True) as server:
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS x")
        assert ask(server.url(), "SHOW fsync") == "on"

    with Server.start(installation, data, durable=True) as server:
        assert ask(server.url(), "SELECT x FROM kept") == 42


def test_settings_win_over_ours(any_installation: Installation) -> None:
    with Server.start(any_installation, settings={"log_statement": "all", "fsync": "on"}) as server:
        assert ask(server.url(), "SHOW log_statement") == "all"
        assert ask(server.url(), "SHOW fsync") == "on"
        assert "SHOW log_statement" in server.log_path.read_text()


def test_a_port_listens_on_this_machine_only(any_installation: Installation, unused_port: int) -> None:
    with Server.start(any_installation, port=unused_port) as server:
        assert ask(f"postgresql://postgres@127.0.0.1:{unused_port}/postgres", "SELECT 1") == 1
        assert ask(server.url(), "SHOW listen_addresses") == "127.0.0.1"


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_second_server_on_the_same_folder_is_refused(any_installation: Installation, folder: Path) -> None:
    with (
        Server.start(any_installation, folder / "data", durable=True) as server,
        pytest.raises(ScratchError, match=r"postmaster\.pid") as caught,
    ):
        Server.start(any_installation, folder / "data", durable=True)

    assert "Another server is running" in caught.value.hint
    assert not server.running


def test_data_of_another_major_version_is_refused(any_installation: Installation, folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")

    with pytest.raises(ScratchError, match="was made by PostgreSQL 9") as caught:
        Server.start(any_installation, data, durable=True)

    assert "TRUEUP_PG_BIN" in caught.value.hint


def test_a_folder_with_other_files_is_refused(any_installation: Installation, folder: Path) -> None:
    (folder / "thesis.txt").touch()

    with pytest.raises(ScratchError, match="found other files"):
        Server.start(any_installation, folder, durable=True)

    assert (folder / "thesis.txt").exists()


def test_a_bad_setting_is_told_in_the_server_s_words(any_installation: Installation) -> None:
    with pytest.raises(ScratchError, match='invalid value for parameter "shared_buffers"'):
        Server.start(any_installation, settings={"shared_buffers": "12 potatoes"})


def test_a_long_path_gets_its_socket_elsewhere(any_installation: Installation, folder: Path) -> None:
    data = folder / ("d" * 90) / "data"
    data.parent.mkdir()
    with Server.start(any_installation, data, durable=True) as server:
        assert ask(server.url(), "SELECT 1") == 1
        socket_dir = server.socket_dir
        assert socket_dir != data

    assert not socket_dir.exists()


CHILD = """
import threading, time
from trueup.scratch.server import Server, find_installations
servers = []
thread = threading.Thread(target=lambda: servers.append(Server.start(find_installations()[0])))
thread.start()
thread.join()
time.sleep(0.3)  # the thread that started it is gone; the server must not be
print(servers[0].pid, servers[0].data_dir.parent, servers[0].running, flush=True)
time.sleep(600)
"""


@pytest.mark.usefixtures("any_installation")
def test_a_killed_parent_takes_the_server_along() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, base, running = parent.stdout.readline().split()
        assert running == "True"
        parent.send_signal(signal.SIGKILL)

    wait_until_gone(Path(base))

    assert not Path(base).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another account")
def test_binaries_in_a_private_folder_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = next((one for one in INSTALLATIONS if one.bin_dir.parent.name == "pginstall"), None)
    if wheel is None:
        pytest.skip("no wheel")
    package = wheel.bin_dir.parent.parent
    private = folder / "private"
    shutil.copytree(package, private / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name)
    private.chmod(0o700)
    monkeypatch.setenv("TRUEUP_PG_BIN", str(private / package.name / "pginstall" / "bin"))

    with Server.start(find_installations()[0]) as server:
        assert ask(server.url(), "SELECT 1") == 1
        running = Path(f"/proc/{server.pid}/exe").readlink()

    assert private.stat().st_mode & 0o777 == 0o700
    assert running.is_relative_to("/var/tmp")  # noqa: S108 - where a copy outlives a reboot
    shutil.rmtree(next(one for one in running.parents if one.name.startswith("trueup-postgresql-")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another account")
def test_a_data_folder_in_a_private_folder_is_kept_elsewhere(any_installation: Installation, folder: Path) -> None:
    folder.chmod(0o700)
    data = folder / "data"
    for _ in range(2):
        with Server.start(any_installation, data, durable=True) as server:
            assert ask(server.url(), "SELECT 1") == 1
            assert server.data_dir == data.resolve()

    assert data.is_symlink()
    shutil.rmtree(data.resolve())
