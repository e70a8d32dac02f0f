"""Which URLs there are, and how they are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from trueup.errors import UsageError

_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@]*):[^@]*@")
_PASSWORD_IN_DSN = re.compile(r"(?i)\b(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)|([?&]password=)[^&]*")
_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")


class Urls(NamedTuple):
    """`default` serves everything; `direct`, where there is one, is tried once when a run has work to do."""

    default: str
    direct: str = ""


def urls_from(database_url: str = "", environment: Mapping[str, str] | None = None) -> Urls:
    """The URLs from a flag or from `DATABASE_URL_POOLER`, `DATABASE_URL_DIRECT` and `DATABASE_URL`.

    Raises:
        UsageError: none is set.
    """
    environment = os.environ if environment is None else environment
    if database_url:
        return Urls(libpq_url(database_url))
    pooler = environment.get("DATABASE_URL_POOLER", "")
    direct = environment.get("DATABASE_URL_DIRECT", "")
    default = pooler or environment.get("DATABASE_URL", "") or direct
    if not default:
        raise UsageError(
            "no database URL",
            hint="Give --database-url URL, or set DATABASE_URL (or DATABASE_URL_POOLER and DATABASE_URL_DIRECT).",
        )
    return Urls(libpq_url(default), libpq_url(direct) if direct and direct != default else "")


def libpq_url(url: str) -> str:
    """An SQLAlchemy URL such as `postgresql+psycopg://…` as libpq reads it."""
    return _DRIVER.sub(r"\1://", url)


def without_password(url: str) -> str:
    """The URL as it may stand in a log."""
    shown = _PASSWORD_IN_URL.sub(r"\1:***@", url)
    return _PASSWORD_IN_DSN.sub(lambda m: (m[1] or m[3]) + "***", shown)
