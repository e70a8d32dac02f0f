"""`trueup.toml`: optional; every key has an environment variable too, and some have a flag."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trueup.errors import UsageError

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h)?$")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, None: 1.0}
_SIZE = re.compile(r"^(\d+)\s*(kB|MB|GB)?$")
_BYTES = {None: 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_SETUPS = Path(__file__).parent / "scratch" / "setups"
HEAL = ("on", "new", "off")
_VARIABLES = {
    ("trueup", "name"): "TRUEUP_NAME",
    ("trueup", "migrations"): "TRUEUP_MIGRATIONS",
    ("scratch", "url"): "TRUEUP_SCRATCH_URL",
    ("scratch", "setup"): "TRUEUP_SCRATCH_SETUP",
    ("run", "statement_timeout"): "TRUEUP_STATEMENT_TIMEOUT",
    ("run", "lock_timeout"): "TRUEUP_LOCK_TIMEOUT",
    ("run", "lock_wait"): "TRUEUP_LOCK_WAIT",
    ("run", "lock_budget"): "TRUEUP_LOCK_BUDGET",
    ("run", "big_rows"): "TRUEUP_BIG_ROWS",
    ("run", "big_size"): "TRUEUP_BIG_SIZE",
    ("run", "heal"): "TRUEUP_HEAL",
}
"""Every key, as (section, key), and the variable that stands over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be configured. Paths are relative to the configuration file's folder."""

    folder: Path = Path("migrations")
    name: str = ""
    scratch_url: str = ""
    setup: str = ""
    statement_timeout: float = 120.0
    lock_timeout: float = 0.15
    lock_wait: float = 600.0
    lock_budget: float = 600.0
    big_rows: int = 10_000
    big_size: int = 8 << 20
    heal: str = "on"


def load(path: Path | None, *, migrations: str = "") -> Config:
    """Read a configuration file, or the defaults where there is none.

    A variable stands over the file, and `migrations` (the flag) over both; a `trueup.toml` beside or above that
    folder's own is used.

    Raises:
        UsageError: the file is not TOML, or has a key that means nothing.
    """
    found = path or _beside(migrations)
    if path is not None and not path.is_file():
        raise UsageError(f"no configuration file at {path}", hint="Make one with `trueup init`, or leave --config out.")
    values = _read(found) if found and found.is_file() else {}
    values |= {key: _Value(os.environ[name], name, Path()) for key, name in _VARIABLES.items() if os.environ.get(name)}
    if migrations:
        values["trueup", "migrations"] = _Value(migrations, "--migrations", Path())
    return _config(values)


def _beside(migrations: str) -> Path | None:
    folders = [Path(migrations), Path(migrations).resolve().parent] if migrations else [Path()]
    return next((folder / "trueup.toml" for folder in folders if (folder / "trueup.toml").is_file()), None)


class _Value(NamedTuple):
    """A value as it is written, where that is, and the folder that a path in it is relative to."""

    text: str
    where: str
    folder: Path


_Values = dict[tuple[str, str], _Value]


def _config(values: _Values) -> Config:
    config: dict[str, Any] = {}
    for (section, key), value in values.items():
        match key:
            case "migrations":
                config["folder"] = value.folder / value.text
            case "setup":
                config["setup"] = setup_sql(value.text, value.folder)
            case "heal":
                if value.text not in HEAL:
                    raise UsageError(f"{value.where}: heal is {', '.join(HEAL)}, not {value.text!r}")
                config["heal"] = value.text
            case "big_rows" | "big_size":
                config[key] = _number(value)
            case "statement_timeout" | "lock_timeout" | "lock_wait" | "lock_budget":
                config[key] = seconds(value.text)
            case _:
                config["scratch_url" if section == "scratch" else key] = value.text
    return Config(**config)


def _read(path: Path) -> _Values:
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="The file is TOML.") from None
    values: _Values = {("trueup", "migrations"): _Value("migrations", str(path), path.parent)}
    for section, keys in data.items():
        if not isinstance(keys, dict):
            raise UsageError(f"{path}: {section} stands in no section", hint=_known())
        if all(section != known for known, _ in _VARIABLES):
            raise UsageError(f"{path}: nothing is called {section}", hint=_known())
        for key, value in keys.items():
            if (section, key) not in _VARIABLES:
                raise UsageError(f"{path}: nothing is called {key}", hint=_known())
            if not isinstance(value, str):
                raise UsageError(f"{path}: {key} is text, not {value!r}", hint=f'For example: {key} = "{value}"')
            values[section, key] = _Value(value, str(path), path.parent)
    return values


def setup_sql(name: str, folder: Path = Path()) -> str:
    """The text of a ready setup, such as `supabase`, or of a file relative to a folder.

    Raises:
        UsageError: it is neither.
    """
    if name in setups():
        return (_SETUPS / f"{name}.sql").read_text()
    try:
        return (folder / name).read_text() if name else ""
    except OSError as error:
        raise UsageError(
            f"no setup at {folder / name}: {error.strerror}",
            hint=f"Name a file of SQL, or a setup that comes with trueup: {', '.join(setups())}.",
        ) from None


def setups() -> list[str]:
    """The setups that come with trueup."""
    return sorted(path.stem for path in _SETUPS.glob("*.sql"))


def _number(value: _Value) -> int:
    """Rows, or bytes with kB, MB or GB."""
    match = _SIZE.match(value.text.strip())
    if match is None:
        raise UsageError(f"{value.where}: {value.text!r} is no number", hint="Write it as 10000, or as 8MB.")
    return int(match[1]) * _BYTES[match[2]]


def seconds(text: str | int) -> float:
    """A duration such as `200ms`, `120s` or `10min`, in seconds.

    Raises:
        UsageError: it is none.
    """
    match = _DURATION.match(str(text).strip())
    if match is None:
        raise UsageError(f"{text!r} is no duration", hint="Write it as 200ms, 120s or 10min.")
    return float(match[1]) * _SECONDS[match[2]]


def _known() -> str:
    sections = {section: [key for of, key in _VARIABLES if of == section] for section, _ in _VARIABLES}
    return "Known: " + "; ".join(f"[{section}] {', '.join(keys)}" for section, keys in sections.items()) + "."
