"""`trueup.toml`: optional; every key has a flag or an environment variable too."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from trueup.errors import UsageError

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h)?$")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, None: 1.0}
_HEAL = ("on", "new", "off")
_KEYS = {
    "trueup": {"name", "migrations", "models"},
    "scratch": {"url", "setup"},
    "run": {"statement_timeout", "lock_timeout", "lock_wait", "heal"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be configured. Paths are relative to the configuration file's folder."""

    folder: Path = Path("migrations")
    name: str = ""
    models: str = ""
    scratch_url: str = ""
    setup: str = ""
    statement_timeout: float = 120.0
    lock_timeout: float = 0.2
    lock_wait: float = 600.0
    heal: bool = True


def load(path: Path | None, *, migrations: str = "") -> Config:
    """Read a configuration file, or the defaults where there is none.

    `migrations` (the flag) overrides the file's folder; a `trueup.toml` beside or above that folder's own is used.

    Raises:
        UsageError: the file is not TOML, or has a key that means nothing.
    """
    found = path or _beside(migrations)
    config = _read(found) if found and found.is_file() else Config()
    if path is not None and not path.is_file():
        raise UsageError(f"no configuration file at {path}", hint="Make one with `trueup init`, or leave --config out.")
    if migrations:
        config = replace(config, folder=Path(migrations))
    elif environment := os.environ.get("TRUEUP_MIGRATIONS"):
        config = replace(config, folder=Path(environment))
    if url := os.environ.get("TRUEUP_SCRATCH_URL"):
        config = replace(config, scratch_url=url)
    return config


def _beside(migrations: str) -> Path | None:
    folders = [Path(migrations), Path(migrations).resolve().parent] if migrations else [Path()]
    return next((folder / "trueup.toml" for folder in folders if (folder / "trueup.toml").is_file()), None)


def _read(path: Path) -> Config:
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="The file is TOML.") from None
    for section, values in data.items():
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {section} stands in no section", hint=_known())
        unknown = {section} if section not in _KEYS else set(values) - _KEYS[section]
        if unknown:
            raise UsageError(f"{path}: nothing is called {', '.join(sorted(unknown))}", hint=_known())
        for key, value in values.items():
            if not isinstance(value, str):
                raise UsageError(f"{path}: {key} is text, not {value!r}", hint=f'For example: {key} = "{value}"')
    trueup, scratch, run = (data.get(section, {}) for section in ("trueup", "scratch", "run"))
    heal = run.get("heal", "on")
    if heal not in _HEAL:
        raise UsageError(f"{path}: heal is {', '.join(_HEAL)}, not {heal!r}")
    return Config(
        folder=path.parent / trueup.get("migrations", "migrations"),
        name=trueup.get("name", ""),
        models=trueup.get("models", ""),
        scratch_url=scratch.get("url", ""),
        setup=_setup(path.parent, scratch.get("setup", "")),
        statement_timeout=seconds(run.get("statement_timeout", "120s")),
        lock_timeout=seconds(run.get("lock_timeout", "200ms")),
        lock_wait=seconds(run.get("lock_wait", "10min")),
        heal=heal != "off",
    )


def _setup(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text() if name else ""
    except OSError as error:
        raise UsageError(f"no setup at {folder / name}: {error.strerror}") from None


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
    return "Known: " + "; ".join(f"[{section}] {', '.join(sorted(keys))}" for section, keys in _KEYS.items()) + "."
