"""Statements with the columns that they leave to tables."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.chain.columns import with_columns
from trueup_testing.grammar import one

pytestmark = pytest.mark.unit

COLUMNS = {"t": ["a", "b"], "u": ["x", "y z"]}


def columns(relation: Any) -> list[str] | None:
    return None if relation.relname == "lost" else COLUMNS.get(relation.relname, [])


@pytest.mark.parametrize(
    "sql, wanted",
    [
        ("INSERT INTO t VALUES (1, 2), (3, 4)", "INSERT INTO t (a, b) VALUES (1, 2), (3, 4)"),
        ("INSERT INTO u SELECT 1", "INSERT INTO u (x) SELECT 1"),
        ("INSERT INTO u SELECT * FROM t", 'INSERT INTO u (x, "y z") SELECT t.a, t.b FROM t'),
        ("INSERT INTO u (x) SELECT x.a FROM t x", "INSERT INTO u (x) SELECT x.a FROM t x"),
        ("INSERT INTO t DEFAULT VALUES", "INSERT INTO t DEFAULT VALUES"),
        ("INSERT INTO t VALUES (1) RETURNING *", "INSERT INTO t (a) VALUES (1) RETURNING *"),
        ("SELECT s.* INTO n FROM t s, other", "SELECT s.a, s.b INTO n FROM t s, other"),
        ("CREATE TABLE n AS SELECT * FROM other o JOIN t ON true", "CREATE TABLE n AS SELECT o.*, t.a, t.b FROM other o JOIN t ON true"),
        ("CREATE TABLE n AS SELECT * FROM (SELECT * FROM t) AS q", "CREATE TABLE n AS SELECT * FROM (SELECT t.a, t.b FROM t) q"),
        ("CREATE VIEW v AS SELECT * FROM t UNION SELECT * FROM u", 'CREATE VIEW v AS SELECT t.a, t.b FROM t UNION SELECT u.x, u."y z" FROM u'),
        ("WITH t AS (SELECT * FROM u) SELECT * INTO n FROM t", 'WITH t AS (SELECT u.x, u."y z" FROM u) SELECT * INTO n FROM t'),
    ],
)  # fmt: skip
def test_they_are_written(sql: str, wanted: str) -> None:
    assert wanted == with_columns(one(sql), columns)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT * FROM other",
        "INSERT INTO t VALUES (1, 2, 3)",
        "INSERT INTO other SELECT * FROM lost",
        "CREATE TABLE n AS SELECT * FROM t JOIN u USING (a)",
        "CREATE TABLE n AS SELECT * FROM t NATURAL JOIN other",
        "CREATE TABLE n AS SELECT * FROM t, generate_series(1, 2)",
    ],
)
def test_they_cannot_always_be_told(sql: str) -> None:
    assert "" == with_columns(one(sql), columns)
