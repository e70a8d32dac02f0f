"""What statements that write rows would find, asked of a server that has the rows."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.chain.inserts import rows_it_leaves, rows_selected, selects_of_values, selects_only_new
from trueup.chain.updates import fills, finds_nothing, rows_it_finds
from trueup_testing.databases import Databases, execute, value

pytestmark = pytest.mark.pg

TABLES = """
    CREATE TABLE leads (id int PRIMARY KEY, name text, note json);
    CREATE TABLE calls (id int PRIMARY KEY, lead_id int, name text);
    INSERT INTO leads VALUES (1, 'a'), (2, 'b');
    INSERT INTO calls VALUES (1, 1, 'a'), (2, 2, 'x');
"""


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.copy_of("asked", lambda made: execute(made, TABLES))


@pytest.mark.parametrize(
    "sql, nothing",
    [
        ("UPDATE leads SET name = 'a' WHERE id = 1", True),
        ("UPDATE leads SET name = 'a' WHERE id < 3", False),
        ("UPDATE leads SET name = NULL, id = 7 WHERE id > 7", True),
        ("UPDATE leads l SET name = upper(l.name)", False),
        ("UPDATE calls c SET name = l.name FROM leads AS l WHERE l.id = c.lead_id AND l.id = 1", True),
        ("UPDATE calls c SET name = l.name FROM leads AS l WHERE l.id = c.lead_id", False),
        ("DELETE FROM calls WHERE id > 7", True),
        ("DELETE FROM calls USING leads JOIN calls AS c ON c.lead_id = leads.id WHERE calls.id = leads.id", False),
        ("DELETE FROM calls", False),
    ],
)
def test_whether_a_statement_would_change_a_row(url: str, sql: str, *, nothing: bool) -> None:
    (statement,) = parse_statements(sql)

    assert nothing == value(url, f"SELECT {finds_nothing(statement)}")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO leads VALUES (1)",
        "UPDATE leads SET name = DEFAULT",
        "UPDATE leads SET (id, name) = (1, 'a')",
        "WITH a AS (SELECT 1 AS id) DELETE FROM leads USING a WHERE a.id = leads.id",
    ],
)
def test_statements_that_do_not_say_it(sql: str) -> None:
    assert "" == finds_nothing(parse_statements(sql)[0])


KEYS = [frozenset({"id"})]
TYPES = {"id": "integer", "name": "text"}


@pytest.mark.parametrize(
    "source, all_there, none_there",
    [
        ("SELECT id, name FROM leads", True, False),
        ("SELECT id + 1, name FROM leads", False, False),
        ("SELECT id + 10, 'x' FROM leads", False, True),
        ("SELECT id, name FROM leads WHERE id > 7", True, True),
    ],
)
def test_whether_the_rows_that_are_selected_are_there(
    url: str, source: str, *, all_there: bool, none_there: bool
) -> None:
    (statement,) = parse_statements(f"INSERT INTO calls (id, name) {source}")

    assert all_there == value(url, f"SELECT {rows_selected(statement, KEYS, TYPES, there=True)}")
    assert none_there == value(url, f"SELECT {rows_selected(statement, KEYS, TYPES, there=False)}")


@pytest.mark.parametrize(
    "sql, none_there",
    [
        ("WITH x (n) AS (VALUES ('a')) INSERT INTO calls (lead_id, name) SELECT l.id, n FROM leads l, x", False),
        ("WITH x (n) AS (VALUES ('z')) INSERT INTO calls (lead_id, name) SELECT l.id, n FROM leads l, x", True),
        ("INSERT INTO calls (id, lead_id, name) SELECT random(), 1, n FROM (VALUES ('z')) AS x (n)", True),
        (
            "INSERT INTO calls (id, lead_id, name) SELECT i, 1, 'z' FROM (VALUES (1)) AS x (i)",
            False,
        ),  # the key is there
        ("INSERT INTO calls (lead_id, name) SELECT nullif(i, 9), n FROM (VALUES (9, NULL)) AS x (i, n)", False),
        ("INSERT INTO calls (lead_id, name) SELECT i, NULL FROM (VALUES (9)) AS x (i)", True),
    ],
)
def test_whether_rows_of_values_are_to_be_written_and_none_is_there(url: str, sql: str, *, none_there: bool) -> None:
    (statement,) = parse_statements(sql)

    assert selects_of_values(statement)
    assert none_there == value(url, f"SELECT {selects_only_new(statement, KEYS, TYPES)}")


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT random() AS i, n FROM (VALUES ('a')) AS v (n)) INSERT INTO calls (id, name) SELECT i, n FROM x",
        "WITH x AS (DELETE FROM leads RETURNING id) INSERT INTO calls (id) SELECT id FROM x",
        "INSERT INTO calls (lead_id) SELECT i FROM (SELECT nextval('ids') AS i) AS x",
    ],
)
def test_what_is_another_each_time_is_not_asked(sql: str) -> None:
    assert "" == selects_only_new(parse_statements(sql)[0], KEYS, TYPES)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO calls SELECT id, name FROM leads",
        "INSERT INTO calls (id, name) SELECT nextval('ids'), name FROM leads",
        "INSERT INTO calls (lead_id, name) SELECT id, name FROM leads",
        "INSERT INTO calls (id, name) SELECT * FROM leads",
        "INSERT INTO calls (id, name) SELECT id, name FROM leads UNION SELECT 1, 'a'",
        "UPDATE calls SET id = 1",
    ],
)
def test_inserts_that_do_not_say_their_keys(sql: str) -> None:
    assert "" == rows_selected(parse_statements(sql)[0], KEYS, TYPES, there=True)


@pytest.mark.parametrize(
    "values, there",
    [
        ("(id, name) VALUES (1, 'a')", True),
        ("(id, name) VALUES (1, 'b')", False),
        ("(lead_id, name) VALUES ((SELECT id FROM leads WHERE name = 'a'), 'a')", True),
        ("(lead_id, name) VALUES ((SELECT id FROM leads WHERE name = 'b'), 'a')", False),
        ("(id, name) VALUES (nextval('ids'), 'a')", True),
        ("(id, name) SELECT 1, 'a'", True),
        ("(id, name) SELECT 1, 'b'", False),
        ("VALUES (2, 2, 'x')", True),
        ("VALUES (2, 3)", False),
    ],
)
def test_whether_a_row_is_there(url: str, values: str, *, there: bool) -> None:
    (condition,) = rows_it_leaves(parse_statements(f"INSERT INTO calls {values}")[0], columns=["id", "lead_id", "name"])

    assert there == value(url, f"SELECT {condition}")


@pytest.mark.parametrize(
    "type_, value_, kept",
    [
        ("numeric(6,2)", "0.125", "0.13"),
        ("smallint", "0.1", "0"),
        ("real", "0.1", "0.1"),
        ("date", "'2024-01-01 12:00'", "'2024-01-01'"),
        ("timestamp(0) without time zone", "'2024-01-01 12:00:00.7'", "'2024-01-01 12:00:01'"),
        ("text", "'0.10'", "'0.10'"),
    ],
)
def test_a_value_is_compared_as_its_column_keeps_it(url: str, type_: str, value_: str, kept: str) -> None:
    execute(url, f"CREATE TABLE costs (cost {type_})", f"INSERT INTO costs VALUES ({kept})")
    insert = parse_statements(f"INSERT INTO costs (cost) VALUES ({value_})")[0]

    (condition,) = rows_it_leaves(insert, types={"cost": type_})

    assert value(url, f"SELECT {condition}")


@pytest.mark.parametrize(
    "sql, finds",
    [
        ("UPDATE leads SET name = 'c' WHERE name = 'a'", True),
        ("UPDATE leads SET name = 'c' WHERE name = 'z'", False),
        ("UPDATE leads SET note = '{}'", True),
        ("UPDATE leads SET note = '{}' WHERE id = 7", False),
        ("UPDATE leads SET name = 'c' WHERE id = 1", False),
        ("UPDATE leads SET name = '+' || name WHERE name NOT LIKE '+%'", True),
        ("UPDATE leads SET name = '+' || name WHERE name LIKE '+%'", False),
        ("UPDATE leads SET name = '+' || name WHERE id = 1", False),
        ("UPDATE calls SET lead_id = (SELECT max(id) FROM leads)", False),
    ],
)
def test_whether_an_update_finds_what_it_has_surely_not_changed(url: str, sql: str, *, finds: bool) -> None:
    execute(url, "ALTER TABLE leads ALTER note TYPE text")

    assert finds == value(url, f"SELECT {rows_it_finds(parse_statements(sql)[0]) or 'false'}")


@pytest.mark.parametrize(
    "sql, is_filled",
    [
        ("UPDATE m SET role = 'a'", True),
        ("UPDATE m SET role = 'a' WHERE role IS NULL", True),
        ("UPDATE m SET role = u.role FROM u WHERE u.role <> '' AND u.id = m.id", True),
        ("UPDATE m SET role = (SELECT role FROM u WHERE u.id = m.id) WHERE id > 0", True),
        ("UPDATE m SET role = 'b' WHERE role = 'a'", False),
        ("UPDATE m x SET role = 'b' WHERE x.role IS NOT NULL", False),
        ("UPDATE m SET role = upper(role)", False),
        ("UPDATE m SET id = 1", False),
        ("DELETE FROM m WHERE role IS NULL", False),
    ],
)
def test_whether_an_update_fills_a_column(sql: str, *, is_filled: bool) -> None:
    assert is_filled == fills(parse_statements(sql)[0], "role")


@pytest.mark.parametrize(
    "values", ["VALUES (1, 2, 'a', 'b')", "(id) SELECT id FROM leads", "(id) SELECT 1 WHERE false", "DEFAULT VALUES"]
)
def test_rows_that_the_text_does_not_say_are_not_known(values: str) -> None:
    assert [] == rows_it_leaves(parse_statements(f"INSERT INTO calls {values}")[0], columns=["id", "lead_id", "name"])


def test_rows_that_are_told_by_truth_values_alone_are_not_known() -> None:
    assert [] == rows_it_leaves(parse_statements("INSERT INTO calls (hot, note) VALUES (true, now())")[0])


@pytest.mark.parametrize(
    "given, there",
    [
        ("upper('a')", False),
        ("lower('A')", True),
        ("'a' || ''", True),
        ("concat('a', 'b')", False),
        ("CAST('a' AS text)", True),
    ],
)
def test_a_value_made_of_constants_is_known(url: str, given: str, *, there: bool) -> None:
    (insert,) = parse_statements(f"INSERT INTO leads (name) VALUES ({given})")
    (condition,) = rows_it_leaves(insert)

    assert there == value(url, f"SELECT {condition}")


@pytest.mark.parametrize("given", ["now()", "name", "md5(random()::text)", "mine('a')"])
def test_a_value_of_another_moment_is_not(given: str) -> None:
    (insert,) = parse_statements(f"INSERT INTO leads (name) VALUES ({given})")

    assert [] == rows_it_leaves(insert)
