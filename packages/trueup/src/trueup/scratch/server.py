"""Start a PostgreSQL server as our child, and stop it again.

A *throw-away* server lives in a temporary folder, forgets everything when it stops, and trades safety for speed. A
*durable* one keeps its data folder and PostgreSQL's normal safety settings.

The server is our direct child. A small shell waits beside it on a pipe that only we hold: when we are gone, however
that came about, it stops the server and removes the temporary folder. (PR_SET_PDEATHSIG would be shorter, but it fires
when the *thread* that started the server ends.)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import psycopg

from trueup.errors import ScratchError
from trueup.scratch.account import Account, account_for, reachable_bin_dir, reachable_folder, server_environment
from trueup.scratch.binaries import Installation, choose, find_installations

__all__ = ["Installation", "Server", "choose", "find_installations"]

StopMode = Literal["smart", "fast", "immediate"]

_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SOCKET_PORT = 5432
_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's limit for a socket's path is 108
_START_SECONDS = 120.0  # crash recovery of a durable server may take its time
_STOP_SECONDS = 60.0

_ALWAYS = {"TimeZone": "UTC", "log_timezone": "UTC"}
_THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
}

# $1 the server's pid, $2 its temporary folder or nothing. A line on standard input: we stopped the server ourselves.
_WATCHDOG = """
if read -r _; then exit 0; fi
kill -INT "$1" 2>/dev/null
while kill -0 "$1" 2>/dev/null; do sleep 0.1; done
if [ -n "$2" ]; then rm -rf "$2"; fi
"""


class Server:
    """A running PostgreSQL server. Use `Server.start`; as a context manager it stops at the end of the block."""

    def __init__(
        self,
        *,
        installation: Installation,
        data_dir: Path,
        socket_dir: Path,
        port: int,
        process: subprocess.Popen[bytes],
        watchdog: subprocess.Popen[bytes],
        log_path: Path,
        temporary: Path | None,
    ) -> None:
        self.installation = installation
        self.data_dir = data_dir
        self.log_path = log_path
        self.port = port
        self._socket_dir = socket_dir
        self._process = process
        self._watchdog = watchdog
        self._temporary = temporary

    @classmethod
    def start(
        cls,
        installation: Installation,
        data_dir: Path | None = None,
        port: int | None = None,
        durable: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """Start a server and wait until it takes connections.

        Args:
            installation: The binaries to run.
            data_dir: Where the data lives; made if it is not there. None: a temporary folder, removed at stop.
            port: Listen on 127.0.0.1 at this port too, where every local user may then connect. None: only on a unix
                socket, in a folder that only this server's account can enter.
            durable: Keep PostgreSQL's safety settings. Needs `data_dir`.
            settings: More server settings, over the ones made here.

        Raises:
            ScratchError: initdb failed, the server did not come up, or `data_dir` cannot be used.
        """
        if durable and data_dir is None:
            raise ScratchError("a durable server needs a data folder", hint="Pass data_dir.")
        account = account_for(data_dir)
        bin_dir = reachable_bin_dir(installation, account)
        base: Path | None = None
        if data_dir is None:
            base = _temporary_folder(account)
            data = base / "data"
            shutil.copytree(_template(installation, bin_dir, account), data)
            account.own(data)
        else:
            data = _make_data_dir(installation, bin_dir, account, data_dir.absolute())
        socket_dir = base or _socket_folder(data, account)
        temporary = socket_dir if socket_dir != data else None
        log_path = (base or data) / "server.log"
        options = {
            **_ALWAYS,
            **({} if durable else _THROW_AWAY),
            "unix_socket_directories": str(socket_dir),
            "port": str(port or _SOCKET_PORT),
            "listen_addresses": "127.0.0.1" if port else "",
            **(settings or {}),
        }
        command = [str(bin_dir / "postgres"), "-D", str(data)]
        command += [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with log_path.open("ab") as log:
            log_start = log.tell()
            process = _spawn(command, account, stdin=subprocess.DEVNULL, output=log.fileno())
        watch = ["/bin/sh", "-c", _WATCHDOG, "trueup-watchdog", str(process.pid), str(temporary or "")]
        watchdog = _spawn(watch, account, stdin=subprocess.PIPE, output=subprocess.DEVNULL)
        server = cls(
            installation=installation,
            data_dir=data,
            socket_dir=socket_dir,
            port=port or _SOCKET_PORT,
            process=process,
            watchdog=watchdog,
            log_path=log_path,
            temporary=temporary,
        )
        try:
            server._wait_until_ready(log_start)
        except BaseException:
            server.stop("immediate")
            raise
        return server

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code of the server's process; negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def running(self) -> bool:
        """Whether the server's process is still there."""
        return self._process.poll() is None

    @property
    def socket_dir(self) -> Path:
        """The folder of the unix socket: `host` for libpq."""
        return self._socket_dir

    def url(self, dbname: str = "postgres") -> str:
        """The URL of a database on this server, through its unix socket, as the superuser."""
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql://postgres@/{quote(dbname, safe='')}?host={host}&port={self.port}"

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait for it. A throw-away server's folder goes too. Harmless when it has stopped."""
        if self.running:
            self._process.send_signal(_SIGNALS[mode])
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
        if self._watchdog.stdin is not None and not self._watchdog.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it has ended before us: there is nothing to tell it
                self._watchdog.stdin.write(b"stopped\n")
                self._watchdog.stdin.flush()
            with contextlib.suppress(BrokenPipeError):  # closing writes what is left
                self._watchdog.stdin.close()
            self._watchdog.wait()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        forgotten = self._temporary is not None and self.data_dir.is_relative_to(self._temporary)
        self.stop("immediate" if forgotten else "fast")

    def _wait_until_ready(self, log_start: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        socket = self._socket_dir / f".s.PGSQL.{self.port}"
        while time.monotonic() < deadline:
            if not self.running:
                raise self._not_started(f"it ended with code {self._process.returncode}", log_start)
            if socket.exists() and self._is_ours():
                try:
                    psycopg.connect(self.url(), connect_timeout=5).close()
                except psycopg.OperationalError:  # "the database system is starting up"
                    pass
                else:
                    return
            time.sleep(0.01)
        raise self._not_started(f"it took no connection within {_START_SECONDS:.0f} s", log_start)

    def _is_ours(self) -> bool:
        """Whether it is this process that serves the folder, and not one that was there before and answers still."""
        try:
            return (self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0] == str(self.pid)
        except OSError:
            return False

    def _not_started(self, what: str, log_start: int) -> ScratchError:
        with self.log_path.open("rb") as log:
            log.seek(log_start)
            said = log.read().decode(errors="replace").strip().splitlines()
        tail = "\n".join(f"  {line}" for line in said[-8:])
        message = f"PostgreSQL {self.installation.version} did not start on {self.data_dir}: {what}. It said:\n{tail}"
        return ScratchError(message, hint=_hint_from(tail, self.data_dir))


def _hint_from(said: str, data_dir: Path) -> str:
    if "postmaster.pid" in said and "already exists" in said:
        return f"Another server is running on {data_dir}: stop it first, or use another folder."
    if "Address already in use" in said:
        return "The port is taken: choose another one."
    return "Mend what the server's own lines above name, then start again."


def _spawn(command: list[str], account: Account, *, stdin: int, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output != subprocess.DEVNULL else output,
        cwd="/",
        env=server_environment(),
        # Ctrl-C in the terminal is for us; we tell the server how to stop.
        start_new_session=True,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )


def _temporary_folder(account: Account) -> Path:
    """A private folder, short enough that a socket in it can be bound."""
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes the folder private
        if len(parent) < _SOCKET_PATH_LIMIT // 2 and account.can("x", Path(parent)):
            folder = Path(tempfile.mkdtemp(prefix="trueup-", dir=parent))
            account.own(folder)
            return folder
    message = f"no temporary folder that the server's account can enter: tried {tempfile.gettempdir()} and /tmp"
    raise ScratchError(message, hint="Set TMPDIR to a short path that every user may enter.")


def _socket_folder(data: Path, account: Account) -> Path:
    """The data folder itself, which is private; a temporary one where its path is too long for a socket."""
    if len(os.fsencode(data)) + len("/.s.PGSQL.65535") <= _SOCKET_PATH_LIMIT:
        return data
    return _temporary_folder(account)


def _make_data_dir(installation: Installation, bin_dir: Path, account: Account, data: Path) -> Path:
    """Initialise a data folder, or check that an existing one fits these binaries; where it really lies."""
    data = data.resolve()  # it may be the link that `reachable_folder` left
    marker = data / "PG_VERSION"
    if marker.exists():
        made_by = marker.read_text().strip()
        if made_by != str(installation.major):
            message = (
                f"{data} was made by PostgreSQL {made_by}; "
                f"found PostgreSQL {installation.version} in {installation.bin_dir}"
            )
            hint = f"Set TRUEUP_PG_BIN to the binaries of PostgreSQL {made_by}, or use another data folder."
            raise ScratchError(message, hint=hint)
        return data
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if next(data.iterdir(), None) is not None:
        message = f"{data}: wanted a PostgreSQL data folder or an empty one, found other files"
        raise ScratchError(message, hint="Use another folder.")
    data.chmod(0o700)
    account.own(data)
    data = reachable_folder(data, account)
    _initdb(bin_dir, account, data)
    return data


def _initdb(bin_dir: Path, account: Account, data: Path, *, sync: bool = True) -> None:
    base = [str(bin_dir / "initdb"), "-D", str(data), "-U", "postgres", "--encoding=UTF8"]
    base += ["--auth=trust", *([] if sync else ["--no-sync"])]
    answers = []
    for locale in ("C.UTF-8", "C"):  # C.UTF-8 is not known everywhere
        done = account.run([*base, f"--locale={locale}"])
        if done.returncode == 0:
            return
        answers.append(done.stderr.strip() or done.stdout.strip() or f"code {done.returncode}")
    message = f"initdb failed on {data}:\n  " + answers[-1].replace("\n", "\n  ")
    raise ScratchError(message, hint="Mend what initdb's own lines above name, then start again.")


def _template(installation: Installation, bin_dir: Path, account: Account) -> Path:
    """A data folder fresh from initdb, made once per installation and copied for each throw-away server."""
    stamp = f"{installation.bin_dir} {(installation.bin_dir / 'postgres').stat().st_mtime_ns} {os.geteuid()}"
    name = f"{installation.version}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    ready = _cache_dir() / name
    if ready.is_dir():
        return ready
    with _locked(ready.with_suffix(".lock")):
        if ready.is_dir():
            return ready
        work = _temporary_folder(account)
        try:
            _initdb(bin_dir, account, work / "data", sync=False)
            copying = ready.with_suffix(".new")
            shutil.rmtree(copying, ignore_errors=True)
            shutil.copytree(work / "data", copying)
            copying.rename(ready)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return ready


def _cache_dir() -> Path:
    if sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "trueup" / "initdb"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
