"""What the `prosaas` command ends with, as one tree.

::

    ProsaasError               exit code, what happened, what to do next
    ├── PortInUse         2    another program listens on the port
    ├── SettingsError     2    an environment variable has a value that means nothing
    ├── ProcessEnded      1    a process that has to keep running ended
    └── NotReady          1    everything started, but `/api/ready` never said 200

Errors of the schema and of the connection to the database are trueup's own (`trueup.errors`).
"""

from __future__ import annotations

from typing import ClassVar


class ProsaasError(Exception):
    """Base of all errors. `str(error)` is the message, `error.hint` the next thing to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(ProsaasError):
    """An environment variable has a value that means nothing."""

    exit_code = 2


class PortInUse(ProsaasError):
    """Another program listens on the port."""

    exit_code = 2

    def __init__(self, *, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is in use by another program",
            hint=f"Stop that program, or choose another port: PORT={port + 1}",
        )
        self.host = host
        self.port = port


class ProcessEnded(ProsaasError):
    """A process that has to keep running ended."""

    def __init__(self, *, name: str, code: int, hint: str = "") -> None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        super().__init__(f"{name} {how}", hint=hint or "Its own last lines above say why.")
        self.name = name
        self.code = code


class NotReady(ProsaasError):
    """Everything started, but `/api/ready` never said 200."""
