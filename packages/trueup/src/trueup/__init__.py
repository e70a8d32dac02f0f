"""trueup: PostgreSQL migrations in which the database tells what exists.

    import trueup

    report = trueup.up("postgresql://…", "migrations")
    assert report.true

`up`, `plan`, `check`, `require`, `backfill` and `index` are the library; everything they raise is a `TrueupError`.
Names are imported when they are first used, so that `import trueup` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trueup.api import backfill, check, index, plan, require, up
    from trueup.connect.urls import Urls, urls_from
    from trueup.errors import (
        ConflictError,
        ConnectionFailed,
        DatabaseIsNewer,
        DecisionNeeded,
        LockFileError,
        MigrationError,
        NotProved,
        RunLockTaken,
        SchemaNotTrue,
        ScratchError,
        SessionNeeded,
        StepFailed,
        TrueupError,
        UnknownDatabase,
        UsageError,
    )
    from trueup.report import Event, Report, StepReport
    from trueup.run.assess import Options
    from trueup.run.execute import Limits
    from trueup.scratch.server import Server, choose, find_installations

_HOME = {
    "trueup.api": ("backfill", "check", "index", "plan", "require", "up"),
    "trueup.connect.urls": ("Urls", "urls_from"),
    "trueup.report": ("Event", "Report", "StepReport"),
    "trueup.run.assess": ("Options",),
    "trueup.run.execute": ("Limits",),
    "trueup.scratch.server": ("Server", "choose", "find_installations"),
    "trueup.errors": (
        *("ConflictError", "ConnectionFailed", "DatabaseIsNewer", "DecisionNeeded", "LockFileError", "MigrationError"),
        *("NotProved", "RunLockTaken", "SchemaNotTrue", "ScratchError", "SessionNeeded", "StepFailed", "TrueupError"),
        *("UnknownDatabase", "UsageError"),
    ),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ConflictError",
    "ConnectionFailed",
    "DatabaseIsNewer",
    "DecisionNeeded",
    "Event",
    "Limits",
    "LockFileError",
    "MigrationError",
    "NotProved",
    "Options",
    "Report",
    "RunLockTaken",
    "SchemaNotTrue",
    "ScratchError",
    "Server",
    "SessionNeeded",
    "StepFailed",
    "StepReport",
    "TrueupError",
    "UnknownDatabase",
    "Urls",
    "UsageError",
    "__version__",
    "backfill",
    "check",
    "choose",
    "find_installations",
    "index",
    "plan",
    "require",
    "up",
    "urls_from",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'trueup' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
