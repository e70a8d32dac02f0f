"""Who holds a run lock, so exactly that another run on the same machine can tell whether that process still lives."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path


def holder_name() -> str:
    """Who we are, for people: host and process id."""
    return f"{socket.gethostname()} pid {os.getpid()}"


def new_identity() -> str:
    """This run: machine since its boot, name space of process ids, process, when that began, and the run itself."""
    return f"{_space()} {os.getpid()} {_began(os.getpid())} {secrets.token_hex(6)}"


def is_dead(identity: str) -> bool:
    """True only where the process can be looked for from here, and is gone. Elsewhere the lease has to run out."""
    parts = identity.split()
    if len(parts) != 4 or parts[0] != _space() or not parts[0]:  # noqa: PLR2004 - as written by new_identity
        return False
    return _began(int(parts[1])) != parts[2]


@cache
def _space() -> str:
    """The machine since its boot and the name space in which process ids mean something; empty where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}".replace(" ", "")
    except OSError:
        return ""


def _began(pid: int) -> str:
    """When a process began, in ticks since boot; `gone` where there is none, or only its remains."""
    with contextlib.suppress(OSError, IndexError):  # it may end while it is looked at
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] in ("Z", "X") else fields[19]
    return "gone"
