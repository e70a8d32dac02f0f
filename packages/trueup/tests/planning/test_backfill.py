"""Statements divided into batches."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.chain.model import Batches
from trueup.errors import MigrationError
from trueup.planning.backfill import Backfill, KeyColumn, Range, backfill_of
from trueup_testing.facts import step

pytestmark = pytest.mark.unit

ID = (KeyColumn("id", "bigint"),)
PAIR = (KeyColumn("tenant", "uuid"), KeyColumn("No", "integer"))


def backfill(sql: str, **wish: Any) -> Backfill:
    made, _ = step(sql, file="7", backfill=Batches(**wish))
    return backfill_of(made)


@pytest.mark.parametrize(
    "sql, wish, batch",
    [
        (
            "UPDATE leads SET x = 1",
            {},
            "UPDATE leads SET x = 1 WHERE leads.id > '7'::bigint AND leads.id <= '9'::bigint",
        ),
        (
            "UPDATE shop.leads AS l SET x = c.y FROM calls c WHERE l.id = c.lead OR l.x IS NULL",
            {"table": "leads"},
            (
                "UPDATE shop.leads l SET x = c.y FROM calls c "
                "WHERE (l.id = c.lead OR l.x IS NULL) AND (l.id > '7'::bigint AND l.id <= '9'::bigint)"
            ),
        ),
        (
            "DELETE FROM leads USING calls c WHERE c.lead = leads.id",
            {"table": "leads"},
            (
                "DELETE FROM leads USING calls c "
                "WHERE c.lead = leads.id AND (leads.id > '7'::bigint AND leads.id <= '9'::bigint)"
            ),
        ),
        (
            "INSERT INTO calls (lead) SELECT l.id FROM leads l LEFT JOIN calls2 c ON c.lead = l.id ON CONFLICT DO NOTHING",
            {},
            (
                "INSERT INTO calls (lead) SELECT l.id FROM leads l LEFT JOIN calls2 c ON c.lead = l.id "
                "WHERE l.id > '7'::bigint AND l.id <= '9'::bigint ON CONFLICT DO NOTHING"
            ),
        ),
        (
            "INSERT INTO calls SELECT c.x FROM leads JOIN old.calls2 AS c ON true WHERE c.x > 1",
            {"table": "c"},
            (
                "INSERT INTO calls SELECT c.x FROM leads JOIN old.calls2 c ON true "
                "WHERE c.x > 1 AND (c.id > '7'::bigint AND c.id <= '9'::bigint)"
            ),
        ),
        (
            "WITH known AS (SELECT 1) UPDATE leads SET x = (SELECT count(*) FROM known)",
            {},
            (
                "WITH known AS (SELECT 1) UPDATE leads SET x = (SELECT count(*) FROM known) "
                "WHERE leads.id > '7'::bigint AND leads.id <= '9'::bigint"
            ),
        ),
    ],
)
def test_a_range_goes_into_the_statement_s_own_where(sql: str, wish: dict[str, object], batch: str) -> None:
    assert batch == backfill(sql, **wish).over(ID, Range(low=("7",), high=("9",)))


def test_a_range_without_bounds_is_the_statement_itself() -> None:
    assert "UPDATE leads SET x = 1" == backfill("UPDATE leads SET x = 1").over(ID, Range())


def test_rows_are_compared_by_all_columns_of_the_key_and_bounded_by_the_first() -> None:
    batch = backfill("DELETE FROM leads").over(PAIR, Range(low=("a", "1"), high=("b", "2")))

    assert (
        """DELETE FROM leads WHERE (leads.tenant, leads."No") > ('a'::uuid, '1'::int) AND leads.tenant >= 'a'::uuid """
        """AND (leads.tenant, leads."No") <= ('b'::uuid, '2'::int) AND leads.tenant <= 'b'::uuid"""
    ) == batch


NULLABLE = (KeyColumn("a", "int"), KeyColumn("b", "int", nullable=True))


@pytest.mark.parametrize(
    "span, condition",
    [
        (
            Range(high=("1", "2")),
            """((leads.a, leads.b) <= ('1'::int, '2'::int) AND leads.a <= '1'::int AND leads.b IS NOT NULL) OR leads.b IS NULL""",
        ),
        (
            Range(low=("1", "2")),
            "(leads.a, leads.b) > ('1'::int, '2'::int) AND leads.a >= '1'::int AND leads.b IS NOT NULL",
        ),
    ],
)
def test_rows_whose_key_has_a_null_are_in_the_first_range_only(span: Range, condition: str) -> None:
    assert condition in backfill("DELETE FROM leads").over(NULLABLE, span)


def test_a_bound_is_quoted() -> None:
    key = (KeyColumn("id", "text"),)

    assert r"DELETE FROM leads WHERE leads.id > E'it''s \\ ;'::text" == backfill("DELETE FROM leads").over(
        key, Range(low=("it's \\ ;",))
    )


def test_the_boundary_is_the_last_key_of_the_next_rows() -> None:
    found = backfill("UPDATE leads AS l SET x = 1 WHERE x = 0")

    assert ('SELECT "id"::text FROM (SELECT id FROM leads l ORDER BY id LIMIT 1 OFFSET 499) AS last') == found.boundary(
        ID, None, 500
    )
    assert (
        """SELECT "id"::text FROM (SELECT id FROM leads l WHERE l.id > '7'::bigint """
        """ORDER BY id LIMIT 1 OFFSET 499) AS last"""
    ) == found.boundary(ID, ("7",), 500)


@pytest.mark.parametrize(
    "sql, wish, why",
    [
        ("CREATE TABLE t ()", {}, "a backfill is one UPDATE, DELETE or INSERT … SELECT"),
        ("UPDATE leads SET x = 1", {"table": "calls"}, "it writes leads, and the directive names calls"),
        ("UPDATE leads SET x = 1", {"table": "old.leads2"}, "it writes leads, and the directive names old.leads2"),
        ("UPDATE leads SET x = 1, id = 2", {"columns": ("id",)}, "it changes id, by which the batches go"),
        ("DELETE FROM leads WHERE CURRENT OF c", {}, "it goes by a cursor"),
        ("INSERT INTO t VALUES (1)", {}, "VALUES looks at all rows together"),
        ("INSERT INTO t DEFAULT VALUES", {}, "its FROM names no table"),
        ("INSERT INTO t SELECT DISTINCT x FROM a", {}, "DISTINCT looks at all rows together"),
        ("INSERT INTO t SELECT x FROM a GROUP BY x", {}, "GROUP BY looks at all rows together"),
        ("INSERT INTO t SELECT x FROM a LIMIT 3", {}, "LIMIT looks at all rows together"),
        ("INSERT INTO t SELECT 1 + max(x) FROM a", {}, r"max\(\) looks at all rows together"),
        ("INSERT INTO t SELECT lag(x) OVER (ORDER BY y) FROM a", {}, r"lag\(\) looks at all rows together"),
        ("INSERT INTO t SELECT x FROM a UNION SELECT y FROM b", {}, "UNION, INTERSECT or EXCEPT looks at all rows"),
        ("INSERT INTO t SELECT x FROM (SELECT * FROM a) s", {}, "its FROM names no table"),
        ("INSERT INTO t WITH s AS (SELECT * FROM a) SELECT x FROM s", {}, "its FROM names no table"),
        ("INSERT INTO t SELECT x FROM a", {"table": "b"}, "it does not read the table b"),
        ("INSERT INTO t SELECT x FROM a RIGHT JOIN b ON true", {}, "a stands on the side of an outer join"),
        ("INSERT INTO t SELECT x FROM a, t AS other", {}, "it reads t, which it writes"),
        ("WITH d AS (DELETE FROM a RETURNING *) INSERT INTO t SELECT * FROM d", {}, "its WITH writes"),
    ],
)
def test_what_batches_would_change_is_refused_with_its_place(sql: str, wish: dict[str, object], why: str) -> None:
    with pytest.raises(MigrationError, match=rf"cannot be run in batches: {why}") as caught:
        backfill(sql, **wish)

    assert ("7", 1) == (caught.value.path, caught.value.line)
    assert caught.value.hint


def test_an_aggregate_in_a_subquery_has_rows_of_its_own() -> None:
    assert '"a"' == backfill("INSERT INTO t SELECT (SELECT max(y) FROM b WHERE b.x = a.x) FROM a").table


def test_a_block_is_one_transaction_and_cannot_be_divided() -> None:
    made, _ = step("UPDATE a SET x = 1; UPDATE a SET y = 1", file="7", backfill=Batches())

    with pytest.raises(MigrationError, match="block of statements, which must be one transaction"):
        backfill_of(made)
