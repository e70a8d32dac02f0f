"""Which files of a folder are migrations, in which order. Reads names and bytes; parses nothing.

Understood as they stand: flat `.sql` files, `NAME.up.sql` beside `NAME.down.sql`, folders with `migration.sql` (Prisma)
or `up.sql` (Diesel), Flyway's `V1__x.sql` and `R__x.sql`, and `.py` files.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from trueup.errors import UsageError

_FOLDER_FILES = ("migration.sql", "up.sql")
_IGNORED = (".down.sql", ".undo.sql", "_down.sql")
_CHUNK = 1 << 14  # bytes
_PATH = attrgetter("path")
_ENDING = re.compile(r"(?:[._]up)?\.sql$|\.py$")
_NUMBERS = re.compile(r"\d+")
_LEADING_DATE = re.compile(r"^(\d{4}-\d{1,2}-\d{1,2}(?:-\d+)*)")
_TIMESTAMP = re.compile(r"^(19|20)\d{6,15}$")
_BY_NUMBER = re.compile(r"\.up\.sql$|^[Vv]?\d[\d._]*__")
"""Of tools to which a timestamp with a digit more is a greater number: golang-migrate, sqlx, Flyway."""
_LEADING_NUMBER = re.compile(r"^[Vv]?(\d+(?:[._]\d+)*)")
_REPEATABLE = "R__"
_FLYWAY_UNDO = re.compile(r"^U\d[\d._]*__")


class MigrationFile(NamedTuple):
    """One migration: its `path` relative to the folder, and its bytes."""

    path: str
    data: bytes

    @property
    def name(self) -> str:
        """What ids are built from: the file without its ending, or its folder."""
        return _name(self.path)

    @property
    def number(self) -> str:
        """The leading number as written, such as `0007`; a date without its dashes; empty where there is none."""
        return _number(self.name)

    @property
    def short_number(self) -> str:
        """`115` for `0115_x.sql`: what people call the migration; its name where it has no number."""
        number = self.number
        return (number.lstrip("0") if number.isdecimal() else number) or self.name

    @property
    def text(self) -> str:
        """The file's characters, without a byte order mark. Raises UnicodeDecodeError."""
        return self.data.decode("utf-8-sig")

    @property
    def repeatable(self) -> bool:
        """Flyway's repeatable migrations run last, and again whenever they change."""
        return self.name.startswith(_REPEATABLE)


def read_files(folder: Path) -> list[MigrationFile]:
    """Every migration of the folder, in order of execution.

    Raises:
        UsageError: there is no such folder, or nothing in it is a migration.
    """
    return in_order(unordered(folder))


def in_order(files: Iterable[MigrationFile]) -> list[MigrationFile]:
    """The files in order of execution."""
    files = list(files)
    if any("/" in file.path for file in files):
        return sorted(files, key=_by_name)
    by_number = any(_BY_NUMBER.search(file.path) for file in files)
    return sorted(files, key=lambda file: _order(file, by_number=by_number))


def unordered(folder: Path) -> list[MigrationFile]:
    """Every migration of the folder, by path: what their order is matters only to a run that has work.

    Raises:
        UsageError: there is no such folder, or nothing in it is a migration.
    """
    if not folder.is_dir():
        raise UsageError(
            f"no folder of migrations at {folder}",
            hint="Name it with --migrations DIR, or set `migrations` in trueup.toml.",
        )
    files = [MigrationFile(path, _read(f"{folder}/{path}")) for path in sorted(_candidates(folder))]
    if not files:
        raise UsageError(f"no migrations in {folder}", hint="Write one with `trueup new NAME`.")
    return files


def digest(files: Iterable[MigrationFile]) -> str:
    """One digest over paths and bytes, the same on every machine."""
    total = hashlib.sha256()
    for path, data in sorted(files, key=_PATH):
        total.update(b"%s\0%d\0%s" % (path.encode(), len(data), data))
    return total.hexdigest()[:32]


def _candidates(folder: Path) -> list[str]:
    found: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith((".", "_")):
                continue
            if name.endswith(".sql") and entry.is_file():
                if not name.endswith(_IGNORED) and not _FLYWAY_UNDO.match(name):
                    found.append(name)
            elif name.endswith(".py"):
                if _LEADING_NUMBER.match(name):
                    found.append(name)
            elif entry.is_dir():  # whatever it is called: there are folders called `0007_views.sql`
                folders.extend(f"{name}/{inner}" for inner in _FOLDER_FILES if (folder / name / inner).is_file())
    if folders:  # where migrations are folders, a loose file without a number is something else
        found = [name for name in found if _LEADING_NUMBER.match(name)]
    return found + folders


def _order(file: MigrationFile, *, by_number: bool) -> tuple[bool, bool, tuple[int, ...], str]:
    """Numbered files by number (so that 9 comes before 10), the others by name, repeatable ones last."""
    name = file.name
    numbers = _NUMBERS.findall(_number(name))
    if not by_number:
        numbers = [_as_timestamp(number) for number in numbers]
    return name.startswith(_REPEATABLE), not numbers, tuple(map(int, numbers)), name


def _by_name(file: MigrationFile) -> str:
    """Folders go by name, `10_x` before `9_x`, as Prisma and Diesel have it; to Diesel a date's dashes are nothing."""
    version, mark, rest = file.name.partition("_")
    return version.replace("-", "") + mark + rest


@cache  # asked for several times of each file
def _name(path: str) -> str:
    folder, _, file = path.rpartition("/")
    return folder.rpartition("/")[2] if folder and file in _FOLDER_FILES else _ENDING.sub("", file)


@cache
def _number(name: str) -> str:
    if name[4:5] == "-" and (date := _LEADING_DATE.match(name)):
        return date[1].replace("-", "")
    match = _LEADING_NUMBER.match(name)
    return match[1] if match else ""


def _as_timestamp(number: str) -> str:
    """A date as long as the longest timestamp in use, so that 20250625 comes after 20250519093328."""
    return number.ljust(17, "0") if _TIMESTAMP.match(number) else number


def _read(path: str) -> bytes:
    """A file's bytes. There may be thousands, and mostly one read is enough."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = part = os.read(descriptor, _CHUNK)
        while len(part) == _CHUNK:
            part = os.read(descriptor, _CHUNK)
            data += part
        return data
    finally:
        os.close(descriptor)
