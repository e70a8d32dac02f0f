"""Which URLs there are, and how they are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from trueup.errors import UsageError

_IN_URL = re.compile(r"(?P<user>(?:[a-zA-Z][\w+.-]*:/{1,2})?[^\s:/@\"']*):(?P<secret>(?!//)[^\"]*)@")
_IN_SETTING = re.compile(r"(?i)(?P<name>\w*passw\w*\s*=\s*)(?P<secret>'(?:[^'\\]|\\.)*'?|[^\s&]+)")
_DIVIDERS = re.compile(r"[@/:?#\s']+")
_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")


class Urls(NamedTuple):
    """`default` serves everything; `direct`, where there is one, is tried once when a run has work to do.

    `name` is what the default is called in a log: POOLER, DIRECT or DATABASE_URL.
    """

    default: str
    direct: str = ""
    name: str = "DATABASE_URL"


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
    plain = environment.get("DATABASE_URL", "")
    default = pooler or plain or direct
    if not default:
        raise UsageError(
            "no database URL",
            hint="Give --database-url URL, or set DATABASE_URL (or DATABASE_URL_POOLER and DATABASE_URL_DIRECT).",
        )
    name = "POOLER" if pooler else "DATABASE_URL" if plain else "DIRECT"
    return Urls(libpq_url(default), libpq_url(direct) if direct and direct != default else "", name)


def libpq_url(url: str) -> str:
    """An SQLAlchemy URL such as `postgresql+psycopg://…` as libpq reads it."""
    return _DRIVER.sub(r"\1://", url)


def without_password(url: str) -> str:
    """The URL as it may stand in a log, whatever is wrong with it: rather too much is hidden than too little."""
    shown = _IN_SETTING.sub(r"\g<name>***", url)
    return _IN_URL.sub(r"\g<user>:***@", shown)


def hidden(text: str, url: str) -> str:
    """A driver's message without the password of the URL, or the pieces of it that it quotes where a URL is odd."""
    shown = without_password(text)
    found = [*_IN_URL.finditer(url), *_IN_SETTING.finditer(url)]
    users = {match["user"].rpartition("/")[2] for match in _IN_URL.finditer(url)}
    secrets = {piece for match in found for piece in (match["secret"], *_DIVIDERS.split(match["secret"]))}
    for secret in sorted(secrets - users, key=len, reverse=True):
        if len(secret) > 1:
            shown = shown.replace(secret, "***").replace(unquote(secret), "***")
    return shown
