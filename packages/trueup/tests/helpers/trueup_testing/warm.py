"""The command `trueup` without the wait for its imports: each call is a process forked from one that has them already.

It is a process of its own all the same, with its own folder, environment, output and exit code.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

_MOST = 1 << 18  # bytes of a request: arguments and environment
_SECONDS = 300


def call(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the command; its exit code, standard output and standard error.

    Raises:
        TimeoutError: it has not ended in five minutes; it is killed.
    """
    told, tells = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(told, "rb", buffering=0) as answer:
        request = json.dumps({"arguments": arguments, "folder": str(folder), "environment": dict(environment)})
        socket.send_fds(_server(), [request.encode()], [out.fileno(), err.fileno(), tells])
        os.close(tells)
        pid = int(answer.readline())
        if not select.select([answer], [], [], _SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError(f"trueup {' '.join(arguments)} has not ended in {_SECONDS} s")
        code = int(answer.readline() or -signal.SIGKILL)  # nothing is said by one that was killed
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


@cache
def _server() -> socket.socket:
    """The way to the process that forks, which ends with ours."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    atexit.register(process.kill)
    return ours


def _serve(requests: socket.socket) -> None:
    """Fork for every request, as many at once as there are, until nobody is left to ask."""
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the caller is told by the child itself
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, _MOST, 3)
        if not data:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            _answer(json.loads(data), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _import_all() -> None:
    import trueup

    for module in pkgutil.walk_packages(trueup.__path__, "trueup."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


def _answer(request: Mapping[str, object], out: int, err: int, answer: int) -> None:
    """Carry out one request in this process, and end it."""
    with os.fdopen(answer, "w") as told:
        print(os.getpid(), file=told, flush=True)
        for own, given in ((1, out), (2, err)):
            os.dup2(given, own)
            os.close(given)
        code = _run(**request)  # type: ignore[arg-type]  # as `call` writes it
        sys.stdout.flush()
        sys.stderr.flush()
        print(code, file=told, flush=True)
        os._exit(code & 0xFF)


def _run(arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> int:
    from trueup.cli.main import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(Path(sys.executable).with_name("trueup")), *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
