"""Read a folder of migrations, independently of trueup: the judge must not share the judged one's reading.

Understood: flat `.sql` files, `NAME.up.sql` beside `NAME.down.sql`, folders with `migration.sql` or `up.sql`, Flyway's
`V…__` and `R__`, and the up/down marks of dbmate, goose and sql-migrate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import postgast

_DOWN = re.compile(r"(\.down|\.undo|_down)\.sql$|^U\d[\d._]*__")
_LEADING = re.compile(r"^[Vv]?(\d+(?:[._]\d+)*)")
_MARK = re.compile(r"^\s*--\s*(?:migrate:|\+\s*(?:goose|migrate)\s+)(up|down)\b", re.IGNORECASE)
_SLEEP = re.compile(r"\bpg_sleep\(\s*[\d.]+\s*\)", re.IGNORECASE)
_ENDS = re.compile(r"(\.up|_up)?\.sql$")

ROW_TAGS = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "truncate_stmt", "copy_stmt", "select_stmt", "do_stmt"}
)
_CONTEXT_TAGS = frozenset({"variable_set_stmt", "transaction_stmt", "lock_stmt"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: `tag` is the grammar's node, such as `create_stmt`."""

    text: str
    tag: str

    @property
    def writes_rows(self) -> bool:
        """Whether the statement works on rows, or may: DO and SELECT can call anything."""
        return self.tag in ROW_TAGS

    @property
    def is_context(self) -> bool:
        """SET, BEGIN, LOCK: they change nothing that stays."""
        return self.tag in _CONTEXT_TAGS


@dataclass(frozen=True, slots=True)
class File:
    """One migration with its statements.

    Attributes:
        name: The migration's name: the file's without its ending, or its folder's.
        path: Relative to the chain's folder.
        statements: In order, without those of the down part.
        wrapped: The file needs one transaction and brings none of its own.
        cuts: Ordinals at which a person can leave the file half applied: 0 < cut < len(statements).
    """

    name: str
    path: str
    statements: tuple[Statement, ...]
    wrapped: bool
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A folder of migrations in order. `setup` is SQL that the chain takes for granted, or empty."""

    name: str
    folder: Path
    files: tuple[File, ...]
    setup: str

    @property
    def statement_count(self) -> int:
        """Statements of all the files."""
        return sum(len(file.statements) for file in self.files)


def read_chain(folder: Path) -> Chain:
    """Read a chain. SQL in `NAME.setup.sql` beside the folder is taken as its setup.

    Raises:
        ValueError: there is nothing to read, or a file is not SQL.
    """
    paths = [path for path in _candidates(folder) if not _DOWN.search(path.split("/", 1)[0])]
    if not paths:
        raise ValueError(f"no migrations in {folder}")
    files = tuple(_read_file(folder, path) for path in sorted(paths, key=_order))
    setup = folder.parent / f"{folder.name}.setup.sql"
    return Chain(
        name=folder.name,
        folder=folder,
        files=tuple(file for file in files if file.statements),
        setup=setup.read_text() if setup.is_file() else "",
    )


def awake(text: str) -> str:
    """A migration that does not sleep between its batches: nobody is there to be spared."""
    return _SLEEP.sub("pg_sleep(0)", text)


def _candidates(folder: Path) -> list[str]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += [f"{entry.name}/{name}" for name in ("migration.sql", "up.sql") if (entry / name).is_file()]
        elif entry.suffix == ".sql":
            found.append(entry.name)
    # Prisma and Diesel do not look at files beside their folders.
    return [path for path in found if "/" in path] or found


def _name(path: str) -> str:
    return path.split("/", 1)[0] if "/" in path else _ENDS.sub("", path)


def _order(path: str) -> tuple[bool, bool, tuple[int, ...], str]:
    """By leading number (9 before 10), then by name; repeatable migrations last.

    Folders as Prisma and Diesel do: by name, dashes apart from the description not counting.
    """
    name = _name(path)
    if "/" in path:
        digits, _, rest = name.partition("_")
        return False, False, (), f"{digits.replace('-', '')}_{rest}"
    match = _LEADING.match(name)
    version = tuple(int(part) for part in re.findall(r"\d+", match.group(1))) if match else ()
    return name.startswith("R__"), not version, version, name


def _read_file(folder: Path, path: str) -> File:
    text = _up_part(awake((folder / path).read_text(encoding="utf-8-sig")))
    data = text.encode()
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as error:
        raise ValueError(f"{path}: {error}") from error
    statements = []
    for raw in tree.stmts:
        stop = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(data)
        written = data[raw.stmt_location : stop].decode().strip()
        statements.append(Statement(text=written, tag=raw.stmt.WhichOneof("node")))
    own_transaction = any(one.tag == "transaction_stmt" for one in statements)
    session_bound = any(_binds_session(one) for one in statements)
    return File(
        name=_name(path),
        path=path,
        statements=tuple(statements),
        wrapped=session_bound and not own_transaction,
        cuts=() if session_bound else _cuts(statements),
    )


def _up_part(text: str) -> str:
    wanted, lines = True, []
    for line in text.splitlines():
        if match := _MARK.match(line):
            wanted = match.group(1).lower() == "up"
        lines.append(line if wanted else "")
    return "\n".join(lines)


def _binds_session(statement: Statement) -> bool:
    """Whether what follows needs this statement's transaction or session."""
    text = statement.text.lower()
    if statement.tag == "lock_stmt":
        return True
    if statement.tag == "variable_set_stmt":
        return text.startswith("set local") or "set local" in text.split("\n")[-1]
    return bool(re.match(r"(?:--[^\n]*\n|\s)*create\s+(?:local\s+|global\s+)?temp(?:orary)?\b", text))


def _cuts(statements: list[Statement]) -> tuple[int, ...]:
    cuts, inside = [], False
    for ordinal, statement in enumerate(statements[:-1], start=1):
        if statement.tag == "transaction_stmt":
            inside = bool(re.search(r"\b(begin|start)\b", statement.text.lower()))
        if not inside and not all(one.is_context for one in statements[ordinal:]):
            cuts.append(ordinal)
    return tuple(cuts)
