"""Everything that trueup raises, as one tree.

::

    TrueupError                     code, exit code, what happened, what to do next
    ├── UsageError            2     the call or the configuration is wrong
    │   ├── MigrationError    2     a migration file cannot be read as SQL, or a directive is wrong
    │   └── ScratchError      2     no scratch server, or the chain cannot be replayed on it
    ├── DecisionNeeded        3     a person must decide; nothing was run
    │   ├── ConflictError     3     the database differs from the chain where a pending step needs it
    │   ├── UnknownDatabase   3     tables, but none of this chain's: maybe the wrong URL
    │   ├── DatabaseIsNewer   3     the ledger has steps that this chain does not know
    │   └── SessionNeeded     3     a step needs a session of its own, which a transaction pooler has not
    ├── StepFailed            1     a step was sent and the server refused it
    ├── NotProved             1     every step was answered with success, but the catalog says otherwise
    ├── RunLockTaken          4     another run holds the lock and the database is not up to date
    ├── ConnectionFailed      5     no connection to the server
    ├── SchemaNotTrue         6     a gate found that the database is not up to date
    └── LockFileError         8     the lock file is missing or does not match the migrations

Each error carries typed fields; its message says what was wanted, what was found, and the hint says what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from trueup.decide.model import Conflict


class TrueupError(Exception):
    """Base of all errors. `str(error)` is the message, `error.hint` the next thing to do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def to_json(self) -> dict[str, object]:
        """The error as the `error` member of a `--json` document."""
        fields = {k: v for k, v in vars(self).items() if isinstance(v, str | int | float | list) and v != ""}
        return {"code": self.code, **fields}


class UsageError(TrueupError):
    """The call or the configuration is wrong."""

    code = "usage"
    exit_code = 2


class MigrationError(UsageError):
    """A migration file cannot be read: bad SQL, or a directive that means nothing here."""

    code = "migration"

    def __init__(self, message: str, *, path: str, line: int, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {message}", hint=hint)
        self.path = path
        self.line = line


class DecisionNeeded(TrueupError):
    """A person must decide; nothing was run, or nothing of the step that it is about."""

    code = "decision_needed"
    exit_code = 3


class ConflictError(DecisionNeeded):
    """The database differs from the chain where a pending step needs it."""

    code = "conflict"

    def __init__(self, message: str, *, conflicts: list[Conflict], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.conflicts = conflicts

    def to_json(self) -> dict[str, object]:
        """With every conflict as an object."""
        return {**super().to_json(), "conflicts": [conflict.to_json() for conflict in self.conflicts]}


class UnknownDatabase(DecisionNeeded):
    """Tables are there, but none of this chain's, and no ledger: this may be the wrong database."""

    code = "unknown_database"


class DatabaseIsNewer(DecisionNeeded):
    """The ledger has marks that this chain does not know: the code is older than the database."""

    code = "database_is_newer"

    def __init__(self, message: str, *, unknown: list[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.unknown = unknown


class SessionNeeded(DecisionNeeded):
    """A pending step cannot run in a transaction, and only a transaction pooler was to be had; nothing was run."""

    code = "session_needed"

    def __init__(self, message: str, *, steps: list[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.steps = steps


class StepFailed(TrueupError):
    """The server refused a step. Earlier steps are committed, this one is undone."""

    code = "step_failed"
    exit_code = 1

    def __init__(self, message: str, *, step: str, statement: str, sqlstate: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step
        self.statement = statement
        self.sqlstate = sqlstate


class NotProved(TrueupError):
    """The steps ran, and the catalog still does not have what they promise."""

    code = "not_proved"
    exit_code = 1

    def __init__(self, message: str, *, differences: list[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.differences = differences


class RunLockTaken(TrueupError):
    """Another run holds the lock, and the database is not up to date."""

    code = "run_lock_taken"
    exit_code = 4

    def __init__(self, message: str, *, holder: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class ConnectionFailed(TrueupError):
    """No connection. The URL in the message has no password."""

    code = "connection_failed"
    exit_code = 5

    def __init__(self, message: str, *, url: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.url = url


class SchemaNotTrue(TrueupError):
    """A gate found that the database is not what the code needs."""

    code = "schema_not_true"
    exit_code = 6

    def __init__(self, message: str, *, missing: list[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.missing = missing


class LockFileError(TrueupError):
    """`trueup.lock` is missing, unreadable, or does not match the migrations."""

    code = "lock_file"
    exit_code = 8

    def __init__(self, message: str, *, step: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step


class ScratchError(UsageError):
    """No scratch server can be had, or the chain does not replay on it."""

    code = "scratch"

    def __init__(self, message: str, *, step: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step
