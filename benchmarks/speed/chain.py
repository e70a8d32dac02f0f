"""The chain that every tool runs: N plain SQL migrations of one statement each, the same for the same seed.

Its mix follows what the histories of business applications look like: a fifth tables, a third new columns, a fifth
indexes, then constraints, functions, and some of everything else. A longer chain begins with the shorter one. It has no
data steps, so that it can be adopted, and no statement that cannot run in a transaction, for Alembic runs all in one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.speed.words import AREAS, COLUMNS, NOUNS, Word

SEED = 20_261_121
_MOST_COLUMNS = 24  # of one table
_FIRST_TABLES = 5  # every application begins with tables


@dataclass(frozen=True)
class Migration:
    """One migration: its place from 1, a name that is good as part of a file name, and its one statement."""

    number: int
    name: str
    sql: str

    @property
    def stem(self) -> str:
        """The file's name without its ending, e.g. `00042_create_crm_leads`."""
        return f"{self.number:05d}_{self.name}"


@dataclass
class _Table:
    name: str
    words: dict[str, Word] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # columns that something hangs on: not dropped
    indexes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # what a column already has, e.g. "check status"


def build_chain(count: int, seed: int = SEED) -> list[Migration]:
    """The first `count` migrations of the history that `seed` gives."""
    author = _Author(random.Random(seed))
    return [Migration(number, *author.write(number)) for number in range(1, count + 1)]


class _Author:
    """Writes one migration after the other and remembers what there is by then."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        names = [f"{area}_{noun}" for area in AREAS for noun in NOUNS]
        dice.shuffle(names)
        self._unused = names
        self._tables: list[_Table] = []
        self._functions: list[tuple[str, str]] = []  # name, table
        self._touch: list[str] = []  # trigger functions
        self._kinds: list[tuple[Callable[[int], tuple[str, str] | None], int]] = [
            (self._create_table, 18),
            (self._add_column, 33),
            (self._create_index, 20),
            (self._add_constraint, 12),
            (self._create_function, 5),
            (self._replace_function, 2),
            (self._create_trigger, 2),
            (self._create_view, 2),
            (self._create_type, 1),
            (self._alter_column, 3),
            (self._drop, 2),
        ]

    def write(self, number: int) -> tuple[str, str]:
        """Name and statement of the next migration."""
        if len(self._tables) < _FIRST_TABLES:
            return self._create_table(number)
        writers = [writer for writer, _ in self._kinds]
        weights = [weight for _, weight in self._kinds]
        while True:
            written = self._dice.choices(writers, weights)[0](number)
            if written:
                return written

    def _chance(self, probability: float) -> bool:
        return self._dice.random() < probability

    def _some_table(self) -> _Table:
        """A table, the newer ones more often than the old ones."""
        return self._tables[int(len(self._tables) * self._dice.random() ** 0.6)]

    def _create_table(self, _number: int) -> tuple[str, str]:
        table = _Table(self._unused.pop())
        key = "bigint GENERATED ALWAYS AS IDENTITY" if self._chance(0.8) else "bigserial"
        lines = [f"id {key} PRIMARY KEY"]
        if self._tables and self._chance(0.7):
            other = self._some_table()
            lines.append(f"{other.name}_id bigint NOT NULL REFERENCES {other.name} (id) ON DELETE CASCADE")
        for word in self._dice.sample(COLUMNS, self._dice.randint(3, 9)):
            table.words[word.name] = word
            lines.append(f"{word.name} {word.sql}")
        lines.append("created_at timestamp with time zone NOT NULL DEFAULT now()")
        lines.append("updated_at timestamp with time zone NOT NULL DEFAULT now()")
        self._tables.append(table)
        return f"create_{table.name}", f"CREATE TABLE {table.name} (\n    " + ",\n    ".join(lines) + "\n)"

    def _add_column(self, _number: int) -> tuple[str, str] | None:
        table = self._some_table()
        if len(table.words) >= _MOST_COLUMNS:
            return None
        word = self._dice.choice([one for one in COLUMNS if one.name not in table.words])
        table.words[word.name] = word
        return f"add_{word.name}_to_{table.name}", f"ALTER TABLE {table.name} ADD COLUMN {word.name} {word.sql}"

    def _create_index(self, number: int) -> tuple[str, str] | None:
        table = self._some_table()
        usable = [word for word in table.words.values() if not word.is_compound]
        if not usable:
            return None
        words = self._dice.sample(usable, min(len(usable), self._dice.choice((1, 1, 2))))
        name = f"ix_{table.name[:32]}_{words[0].name}_{number}"
        columns = [f"{word.name} DESC" if word.name.endswith("_at") else word.name for word in words]
        shape = self._dice.choices(("plain", "lower", "partial", "covering"), (55, 15, 20, 10))[0]
        tail = {"partial": f" WHERE {words[0].name} IS NOT NULL", "covering": " INCLUDE (updated_at)"}.get(shape, "")
        if shape == "lower" and words[0].is_text:
            columns[0] = f"lower({words[0].name})"
        table.used.update(word.name for word in words)
        table.indexes.append(name)
        return (
            f"index_{table.name}_{words[0].name}",
            f"CREATE INDEX {name} ON {table.name} ({', '.join(columns)}){tail}",
        )

    def _add_constraint(self, number: int) -> tuple[str, str] | None:
        table = self._some_table()
        kind = self._dice.choices(("check", "key", "unique"), (50, 25, 25))[0]
        words = [word for word in table.words.values() if f"{kind} {word.name}" not in table.taken]
        words = [word for word in words if _can_have(kind, word)]
        if not words:
            return None
        word = self._dice.choice(words)
        table.taken.add(f"{kind} {word.name}")
        table.used.add(word.name)
        rule = {
            "check": f"CHECK ({word.check})",
            "key": f"FOREIGN KEY ({word.name}) REFERENCES {self._tables[0].name} (id) ON DELETE SET NULL",
            "unique": f"UNIQUE (id, {word.name})",
        }[kind]
        name = f"{table.name[:32]}_{word.name}_{kind}_{number}"
        return f"{kind}_{table.name}_{word.name}", f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {rule}"

    def _create_function(self, number: int) -> tuple[str, str]:
        table = self._some_table()
        if self._chance(0.4):
            name = f"touch_{table.name[:40]}_{number}"
            self._touch.append(name)
            body = "BEGIN\n    NEW.updated_at := now();\n    RETURN NEW;\nEND"
            return name, f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n{body};\n$$"
        name = f"count_{table.name[:40]}_{number}"
        self._functions.append((name, table.name))
        return name, _counting(name, table.name, "created_at >= since").replace("OR REPLACE ", "")

    def _replace_function(self, _number: int) -> tuple[str, str] | None:
        if not self._functions:
            return None
        name, table = self._dice.choice(self._functions)
        rule = self._dice.choice(("created_at > since", "updated_at >= since", "updated_at > since AND id > 0"))
        return f"replace_{name}", _counting(name, table, rule)

    def _create_trigger(self, number: int) -> tuple[str, str] | None:
        if not self._touch:
            return None
        table = self._some_table()
        name = f"{table.name[:40]}_touch_{number}"
        action = f"FOR EACH ROW EXECUTE FUNCTION {self._dice.choice(self._touch)}()"
        return f"trigger_{table.name}", f"CREATE TRIGGER {name} BEFORE UPDATE ON {table.name}\n    {action}"

    def _create_view(self, number: int) -> tuple[str, str]:
        table = self._some_table()
        words = self._dice.sample(sorted(table.words), min(3, len(table.words)))
        table.used.update(words)
        name = f"recent_{table.name[:40]}_{number}"
        columns = ", ".join(["id", *words, "created_at"])
        query = f"SELECT {columns} FROM {table.name} WHERE id > {number}"
        return f"view_{table.name}", f"CREATE VIEW {name} AS\n    {query}"

    def _create_type(self, number: int) -> tuple[str, str]:
        name = f"{self._some_table().name[:40]}_kind_{number}"
        return f"type_{name}", f"CREATE TYPE {name} AS ENUM ('draft', 'sent', 'done')"

    def _alter_column(self, number: int) -> tuple[str, str] | None:
        table = self._some_table()
        plain = sorted(word.name for word in table.words.values() if word.is_text and "NOT NULL" not in word.sql)
        plain = [name for name in plain if f"default {name}" not in table.taken]
        if not plain:
            return None
        column = self._dice.choice(plain)
        table.taken.add(f"default {column}")
        return (
            f"default_{table.name}_{column}",
            f"ALTER TABLE {table.name} ALTER COLUMN {column} SET DEFAULT 'n{number}'",
        )

    def _drop(self, _number: int) -> tuple[str, str] | None:
        table = self._some_table()
        if self._chance(0.5):
            if not table.indexes:
                return None
            index = table.indexes.pop(self._dice.randrange(len(table.indexes)))
            return f"drop_{index}", f"DROP INDEX {index}"
        free = sorted(set(table.words) - table.used)
        if not free:
            return None
        column = self._dice.choice(free)
        del table.words[column]
        return f"drop_{column}_of_{table.name}", f"ALTER TABLE {table.name} DROP COLUMN {column}"


def _can_have(kind: str, word: Word) -> bool:
    if kind == "check":
        return bool(word.check)
    if kind == "key":
        return word.name in {"created_by", "updated_by"}
    return not word.is_compound


def _counting(name: str, table: str, rule: str) -> str:
    head = f"CREATE OR REPLACE FUNCTION {name}(since timestamp with time zone) RETURNS bigint LANGUAGE sql STABLE"
    body = f"SELECT count(*) FROM {table} WHERE {rule}"
    return f"{head} AS $$\n    {body}\n$$"
