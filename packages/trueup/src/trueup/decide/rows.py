"""What only the rows can tell. A question is noted; with its answer the decision is made anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

from trueup.catalog.keys import identity_of, literal, own_name, parts, quoted, table_of, table_touched, unquoted
from trueup.catalog.references import ForeignKey, foreign_key, unique_columns
from trueup.chain.columns import with_columns
from trueup.chain.grammar import Statement, expression, nodes_of, parse_each, range_identity, range_sql
from trueup.chain.inserts import (
    columns_repeated,
    is_constant,
    is_upsert,
    may_be_referred_to,
    one_selected_is_refused,
    row_referred_to,
    rows_it_leaves,
    rows_selected,
    rows_written,
    selects_nothing_new,
    selects_only_new,
)
from trueup.chain.model import Step
from trueup.chain.reading import as_question, queries_read
from trueup.chain.updates import (
    finds_nothing,
    finds_unfilled,
    has_no_key,
    may_find,
    one_is_filled,
    only_fires,
    rows_it_finds,
    stands_between,
    values_set,
)
from trueup.decide.asking import as_named_here
from trueup.decide.lent import Lent


class Rows:
    """What is known of the rows. `asked` are the queries whose answer would matter and is not known yet.

    Args:
        live: The facts of the database.
        known: Queries that were asked, with their answers.
        now: The facts just before the step that is asked for; by default the database's.
        columns: The columns, in their order, of a table that a step fills without naming them; empty if not known.
        lent: The renames that are done here, and that the facts and the steps do not know of.
    """

    def __init__(
        self,
        live: Mapping[str, str],
        known: Mapping[str, bool],
        now: Mapping[str, str | None] | None = None,
        columns: Callable[[Step, str], Sequence[str]] = lambda *_: (),
        *,
        lent: Sequence[Lent] = (),
    ) -> None:
        self._live = live
        self._known = known
        self._now = live if now is None else now
        self._columns = columns
        self._lent = tuple(lent)
        self.asked: set[str] = set()

    def none_in(self, tables: Collection[str]) -> bool:
        """True where all of these tables are empty or not there; as long as that is not known, false."""
        answers = [self._is_true(emptiness_of(table)) for table in tables if f"table {table}" in self._live]
        return bool(tables) and all(answers)

    def of(self, step: Step, keys: Collection[frozenset[str]] = (), *, changed: Collection[str] = ()) -> list[str]:
        """The conditions of all rows of its INSERTs of values; none where a statement does not say its rows."""
        return self._of(step, parse_each(step.statements), keys, changed)

    def _of(
        self,
        step: Step,
        statements: Iterable[Statement],
        keys: Collection[frozenset[str]] = (),
        changed: Collection[str] = (),
    ) -> list[str]:
        conditions = [
            _conditions(
                s.text,
                tuple(keys),
                tuple(self._columns_of(step, s)),
                tuple(self._types_of(s).items()),
                tuple(self._defaults_of(s).items()) if keys else (),
                frozenset(changed),
            )
            for s in statements
        ]
        return [one for some in conditions for one in some] if all(conditions) else []

    def written(self, step: Step) -> list[dict[str, Any]]:
        """What its INSERTs put into each row; none where one of them does not say it."""
        inserts = [s for s in parse_each(step.statements) if s.tag == "insert_stmt"]
        found = [rows_written(s, self._columns_of(step, s)) for s in inserts]
        return [row for rows in found for row in rows] if all(found) else []

    def _types_of(self, statement: Statement) -> dict[str, str]:
        """The types of the columns of the table that an INSERT fills, by name."""
        if statement.tag != "insert_stmt":
            return {}
        table = range_identity(statement.node.relation)
        return self._types.get(table, {})

    @cached_property
    def _types(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for key, value in self._live.items():
            if key.startswith("column "):
                found.setdefault(table_of(key), {})[own_name(identity_of(key))] = value
        return found

    def _defaults_of(self, statement: Statement) -> dict[str, str]:
        """The constants that columns of the table that an INSERT fills have by default, by name."""
        table = range_identity(statement.node.relation) if statement.tag == "insert_stmt" else ""
        keys = {name: f"default {table}.{quoted(name)}" for name in self._types.get(table, ())}
        values = ((name, self._now.get(key)) for name, key in keys.items())
        return {name: value for name, value in values if value and "(" not in value}

    def _columns_of(self, step: Step, statement: Statement) -> Sequence[str]:
        node = statement.node
        unnamed = statement.tag == "insert_stmt" and not node.cols
        return self._columns(step, node.relation.relname) if unnamed else ()

    def are_there(self, step: Step) -> bool:
        """True where all rows of the step's INSERTs of values are there; as long as that is not known, false."""
        return self.all_of(self.of(step))

    def would_be_refused(self, step: Step, tables: Collection[str]) -> bool:
        """True where for each row of its INSERT into one of the tables one with the same key is there."""
        if any(s.tag == "insert_stmt" and is_upsert(s.node) for s in parse_each(step.statements)):
            return False
        keys = self.keys_of(tables)
        return self.all_of(self.of(step, keys) or self._selected(step, keys, there=True))

    def one_would_be_refused(self, step: Step, keys: Collection[frozenset[str]]) -> bool:
        """True where for one of the rows of its INSERTs of values one with the same key is there."""
        if any(s.tag == "insert_stmt" and s.node.HasField("on_conflict_clause") for s in parse_each(step.statements)):
            return False
        return self.one_of(self.of(step, keys))

    def would_be_new(self, step: Step, tables: Collection[str]) -> bool:
        """True where for none of the rows of its `INSERT … SELECT` one with the same key is there."""
        return self.all_of(self._selected(step, self.keys_of(tables), there=False))

    def one_selected_is_there(self, step: Step, tables: Collection[str]) -> bool:
        """True where for one of the rows of each of its `INSERT … SELECT` one with the same key is there."""
        return self.none_of(self._selected(step, self.keys_of(tables), there=False))

    def _selected(self, step: Step, keys: Collection[frozenset[str]], *, there: bool) -> list[str]:
        """A condition for each statement; none where one of them does not say its rows."""
        statements = (self._spelt_out(step, s) for s in parse_each(step.statements))
        conditions = [rows_selected(s, keys, self._types_of(s), there=there) for s in statements]
        return conditions if all(conditions) else []

    def selects_only_new(self, step: Step) -> bool:
        """True where its `INSERT … SELECT` has rows to write, and none of them is there."""
        statements = (self._spelt_out(step, s) for s in parse_each(step.statements))
        conditions = (selects_only_new(s, self._keys_filled(s), self._types_of(s)) for s in statements)
        return self.all_of([condition for condition in conditions if condition])

    def selects_nothing_new(self, step: Step) -> bool:
        """True where each row of its `INSERT … SELECT` is there, by value or by key; as long as not known, false."""
        statements = [self._spelt_out(step, s) for s in parse_each(step.statements)]
        conditions = [selects_nothing_new(s, self._keys_filled(s), self._types_of(s)) for s in statements]
        return all(conditions) and self.all_of(conditions)

    def _spelt_out(self, step: Step, statement: Statement) -> Statement:
        """An `INSERT … SELECT` with the columns that it leaves to its tables."""
        node = statement.node
        if statement.tag != "insert_stmt" or (node.cols and not next(nodes_of(node, "A_Star"), None)):
            return statement

        def columns(relation: Any) -> Sequence[str]:
            return self._columns(step, relation.relname) or list(self._types.get(range_identity(relation), ()))

        return next(parse_each([with_columns(statement, columns) or statement.text]))

    def would_write_refused(self, step: Step) -> bool:
        """True where it reads rows, or its `INSERT … SELECT` has rows to write, that the server refuses for values."""
        read = (as_named_here(query, self._lent) for query in queries_read(step.statements))
        if any(self._is_known(as_question(query)) for query in read):
            return True
        inserts = (s for s in parse_each(step.statements) if s.tag == "insert_stmt")
        conditions = (one_selected_is_refused(s, self._types_of(s), self._not_null_of(s)) for s in inserts)
        return self.one_of([condition for condition in conditions if condition])

    def _not_null_of(self, statement: Statement) -> list[str]:
        """The columns of the table that an INSERT fills which have to have a value."""
        table = range_identity(statement.node.relation)
        columns = ((name, f"{table}.{quoted(name)}") for name in self._types.get(table, ()))
        return [name for name, column in columns if self._now.get(f"not null {column}") is not None]

    def _keys_filled(self, statement: Statement) -> list[frozenset[str]]:
        """The keys of the table that an INSERT fills."""
        return self.keys_of([range_identity(statement.node.relation)]) if statement.tag == "insert_stmt" else []

    def stands_as_inserted(self, insert: Step, update: Step) -> bool:
        """True where a row stands as one step wrote it, though the other, behind that, would have changed it."""
        changes = [(s, values) for s in parse_each(update.statements) if (values := values_set(s))]
        rows = zip(self.written(insert), self.of(insert), strict=False) if changes else ()
        return self.one_of(
            [
                condition
                for row, condition in rows
                if any(may_find(s, row) and _differs(row, values) for s, values in changes)
            ]
        )

    def stands_as_updated(self, earlier: Step, update: Step) -> bool:
        """True where a row stands as one UPDATE by constants left it, though the other would have changed it since."""
        pairs = product(parse_each(earlier.statements), parse_each(update.statements))
        return self.one_of([condition for before, then in pairs if (condition := stands_between(before, then))])

    def keys_of(self, tables: Collection[str]) -> list[frozenset[str]]:
        """The sets of columns of which one of the tables has each combination of values once, here and by now."""
        keys = (pair for table in tables for pair in self._keys.get(table, ()))
        return [columns for fact, columns in keys if self._now.get(fact) == self._live[fact]]

    @cached_property
    def _keys(self) -> dict[str, list[tuple[str, frozenset[str]]]]:
        """By table, the facts of its keys with their columns."""
        found: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for key, value in self._live.items():
            if key.startswith(("constraint ", "index ")) and (columns := unique_columns(value)):
                found.setdefault(table_touched(key, value), []).append((key, frozenset(map(unquoted, columns))))
        return found

    def are_missing(self, step: Step) -> bool:
        """True where none of them is there; as long as that is not known, false."""
        return self.none_of(self.of(step))

    def all_of(self, conditions: Collection[str]) -> bool:
        """True where there are conditions, and all hold; as long as that is not known, false."""
        return bool(conditions) and self._is_true(f"SELECT {' AND '.join(conditions)}")

    def one_of(self, conditions: Collection[str]) -> bool:
        """True where one of the conditions holds; as long as that is not known, false."""
        return bool(conditions) and self._is_true(f"SELECT {' OR '.join(conditions)}")

    def none_of(self, conditions: Collection[str]) -> bool:
        """True where there are conditions, and none holds; as long as that is not known, false."""
        return bool(conditions) and self._is_true(f"SELECT NOT ({' OR '.join(conditions)})")

    def none_inserted(self, step: Step) -> bool:
        """The same of the INSERTs of values among a step's statements, of which there may be others."""
        inserts = (s for s in parse_each(step.statements) if s.tag == "insert_stmt")
        return self._types.keys() >= self.filled(step) and self.none_of(self._of(step, inserts))

    def filled(self, step: Step) -> set[str]:
        """The tables that its INSERTs fill, those within other statements too."""
        inserts = (node for s in parse_each(step.statements) for node in nodes_of(s.node, "InsertStmt"))
        return {range_identity(node.relation) for node in inserts}

    def repeats(self, step: Step) -> bool:
        """True where it may be done again: an ON CONFLICT DO NOTHING meets a conflict, for it gives a key its value.

        What a default or a function gives is another value each time.
        """
        return step.guarded and all(map(self._may_conflict, parse_each(step.statements)))

    def _may_conflict(self, statement: Statement) -> bool:
        table = range_identity(statement.node.relation) if statement.tag == "insert_stmt" else ""
        if not table or not statement.node.HasField("on_conflict_clause") or f"table {table}" not in self._live:
            return True
        named = frozenset(element.index_elem.name for element in statement.node.on_conflict_clause.infer.index_elems)
        given = columns_repeated(statement, list(self._types.get(table, ())))
        keys = [named] if named and all(named) else self.keys_of([table])
        return given is None or any(key <= given for key in keys)

    def lacks_parent(
        self, step: Step, parents: Collection[str], to_come: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> bool:
        """True where a row of its INSERTs of values refers to one of these tables, and to a row that is not there.

        Nor may one of the rows be it that are to come, by their tables.
        """
        conditions = []
        for s in parse_each(step.statements):
            rows = rows_written(s, self._columns_of(step, s))
            for key in self._foreign_keys.get(range_identity(s.node.relation), ()) if rows else ():
                if key.parent in parents:
                    others = to_come.get(key.parent, ())
                    left = (row for row in rows if not any(may_be_referred_to(row, key, other) for other in others))
                    conditions += [c for row in left if (c := row_referred_to(row, key))]
        return bool(conditions) and self._is_true(f"SELECT NOT ({' AND '.join(dict.fromkeys(conditions))})")

    @cached_property
    def _foreign_keys(self) -> dict[str, list[ForeignKey]]:
        """By table, its foreign keys."""
        found: dict[str, list[ForeignKey]] = {}
        for key, value in self._live.items():
            if reference := foreign_key(value):
                found.setdefault(table_of(key), []).append(reference)
        return found

    def has_unfilled_view(self, step: Step) -> bool:
        """True where a materialized view that the step refreshes has never been filled."""
        names = (literal(range_sql(s.node.relation)) for s in parse_each(step.statements))
        return any(self._is_true(f"SELECT NOT relispopulated FROM pg_class WHERE oid = {n}::regclass") for n in names)  # noqa: S608 - quoted

    @property
    def now(self) -> Mapping[str, str | None]:
        """The facts just before the step that is asked for."""
        return self._now

    def is_unset(self, column: str) -> bool:
        """True where no row has more than its default in a `schema.table.column`; as long as not known, false."""
        default = self._live.get(f"default {column}", "NULL")
        if "(" in default or any(f"{kind} {column}" in self._live for kind in ("identity", "generated")):
            return False
        table, other = table_of(f"column {column}"), f" WHERE {parts(column)[-1]} IS DISTINCT FROM {default}"
        return self.all_of([f"NOT EXISTS (SELECT FROM {table}{other})"])

    def are_to_change(self, step: Step) -> bool:
        """True where the step's UPDATEs would find rows that they do not find again; as long as not known, false."""
        conditions = [rows_it_finds(s) for s in parse_each(step.statements)]
        return all(conditions) and self.one_of(conditions)

    def has_unfilled(self, step: Step, defaults: Mapping[str, str]) -> bool:
        """True where columns that the step's UPDATEs would fill have no value in any row, or only their defaults."""
        conditions = (finds_unfilled(s, defaults) for s in parse_each(step.statements))
        return self.one_of([condition for condition in conditions if condition])

    def has_no_key(self, step: Step) -> bool:
        """True where no row has a key that the step's UPDATEs set in JSON; as long as not known, false."""
        conditions = [has_no_key(s) for s in parse_each(step.statements)]
        return all(conditions) and self.all_of(conditions)

    def all_are_filled(self, step: Step) -> bool:
        """True where each of its UPDATEs fills a column of which some row has a value; as long as not known, false."""
        conditions = [one_is_filled(s) for s in parse_each(step.statements)]
        return all(conditions) and self.all_of(conditions)

    def would_not_change(self, step: Step) -> bool:
        """True where the step's UPDATEs and DELETEs would leave each row as it is; as long as not known, false."""
        if self.fires_only(step):
            return False
        conditions = [finds_nothing(s) for s in parse_each(step.statements)]
        return all(conditions) and self.all_of(conditions)

    def fires_only(self, step: Step) -> list[str]:
        """The triggers for the sake of which the step has UPDATEs that change nothing themselves."""
        updates = filter(only_fires, parse_each(step.statements))
        tables = {range_identity(statement.node.relation) for statement in updates}
        here = self._now if tables else ()
        triggers = (key for key in here if key.startswith("trigger ") and table_of(key) in tables)
        return [key for key in triggers if "UPDATE" in (self._now[key] or "")]

    def _is_true(self, query: str) -> bool:
        return self._is_known(as_named_here(query, self._lent))

    def _is_known(self, query: str) -> bool:
        if query not in self._known:
            self.asked.add(query)
        return self._known.get(query, False)


@lru_cache(maxsize=16384)
def _conditions(
    text: str,
    keys: tuple[frozenset[str], ...],
    columns: tuple[str, ...],
    types: tuple[tuple[str, str], ...],
    defaults: tuple[tuple[str, str], ...],
    changed: frozenset[str],
) -> list[str]:
    """`rows_it_leaves` of one statement: its rows are asked for again and again while a decision is made."""
    (statement,) = parse_each([text])
    return rows_it_leaves(statement, keys, columns=columns, types=dict(types), defaults=dict(defaults), changed=changed)


def _differs(row: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """True where a row has another constant in one of these columns."""
    return any(
        name in row and is_constant(row[name]) and expression(row[name]) != value for name, value in values.items()
    )


def emptiness_of(table: str) -> str:
    """The query that is true where a table has no rows."""
    return f"SELECT NOT EXISTS (SELECT FROM {table})"  # noqa: S608 - quoted by the server
