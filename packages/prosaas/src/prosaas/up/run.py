"""The main job: PostgreSQL, schema, API and worker, in the foreground, until told to stop."""

from __future__ import annotations

import contextlib
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from types import FrameType

import trueup
from prosaas.api.serve import listen
from prosaas.errors import NotReady, ProcessEnded
from prosaas.schema.migrate import bring_true
from prosaas.settings import Settings
from prosaas.up.children import Children
from prosaas.up.embedded import DATABASE, start_embedded

_READY_SECONDS = 90.0
_LOOK_SECONDS = 0.2
_NO_ANSWER = "no answer"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


def run_everything(settings: Settings, *, say: Say, announce: Say) -> int:
    """Start everything, announce that it is ready, and keep it running until Ctrl-C, SIGTERM or SIGHUP.

    Args:
        settings: Where to listen, and the database; without one a PostgreSQL of our own is started.
        say: Gets each line of progress.
        announce: Gets the one line that says it is ready.

    Returns:
        The exit code: 0 if it was stopped when it was ready, 130 if before.

    Raises:
        ProsaasError: Something that is needed ended, or never became ready.
        trueup.TrueupError: The schema could not be brought true.
    """
    ready = False
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_signals_interrupt())
            listen(settings).close()  # before anything is started
            server = None
            if not settings.has_database:
                server = start_embedded(settings.prosaas_data_dir)
                stack.callback(_stop_server, server, say)
                settings = settings.model_copy(update={"database_url": server.url(DATABASE)})
                say(f"PostgreSQL {server.installation.version} runs on {settings.prosaas_data_dir / 'postgres'}")
                say(f"its database: {settings.url}")
            bring_true(settings.urls, say)
            children = Children()
            stack.callback(_stop_children, children, say)
            environment = _environment(settings)
            children.start("the API", ["api"], environment)
            children.start("the worker", ["worker"], environment)
            base = _base_url(settings)
            _wait_until_ready(base, children, server)
            ready = True
            announce(f"ready {base}")
            while True:
                _fail_if_ended(children, server)
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            say("stopping")
        finally:
            for one in _STOP_SIGNALS:  # what follows is short, and must be complete
                signal.signal(one, signal.SIG_IGN)
    say("stopped")
    return 0 if ready else 130


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Turn each stop signal into KeyboardInterrupt; afterwards the signals mean what they meant before."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in _STOP_SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _environment(settings: Settings) -> dict[str, str]:
    """What the children's environment has beside ours. The schema is true already: the API need not migrate."""
    chosen = {"RUN_MIGRATIONS": "0", "HOST": settings.host, "PORT": str(settings.port)}
    return {**chosen, "DATABASE_URL": settings.database_url} if settings.database_url else chosen


def _base_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - a name to look up
    return f"http://{host}:{settings.port}"


def _wait_until_ready(base: str, children: Children, server: trueup.Server | None) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    said = _NO_ANSWER
    while time.monotonic() < deadline:
        _fail_if_ended(children, server)
        try:
            with urllib.request.urlopen(f"{base}/api/ready", timeout=10):  # noqa: S310 - our own address
                return
        except urllib.error.HTTPError as error:
            said = _what_is_missing(error.read())
        except OSError:
            said = _NO_ANSWER
        time.sleep(_LOOK_SECONDS)
    raise NotReady(
        f"{base}/api/ready was not 200 within {_READY_SECONDS:.0f} s: {said}",
        hint="The lines of the API and the worker above say more.",
    )


def _what_is_missing(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    checks = [(name, answer[name]) for name in ("schema", "worker") if not answer[name]["ok"]]
    return "; ".join(f"{name}: {check['error'] or ', '.join(check['missing'])}" for name, check in checks)


def _fail_if_ended(children: Children, server: trueup.Server | None) -> None:
    if server is not None and not server.running:
        raise ProcessEnded(name="PostgreSQL", code=server.code or 0, hint=f"Its log: {server.log_path}")
    if ended := children.ended():
        name, code = ended
        raise ProcessEnded(name=name, code=code)


def _stop_children(children: Children, say: Say) -> None:
    children.stop()
    say("API and worker stopped")


def _stop_server(server: trueup.Server, say: Say) -> None:
    server.stop()
    say("PostgreSQL stopped")
