"""PostgreSQL's grammar behind one door."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements, trailing_comments
from trueup.errors import MigrationError

pytestmark = pytest.mark.unit


def test_a_text_is_split_with_lines_and_comments() -> None:
    first, second = parse_statements("-- one\nSELECT 1;\n\n-- two;\nSELECT ';' AS x\n;\n")

    assert ("SELECT 1", 2) == (first.text, first.line)
    assert ("SELECT ';' AS x", 5) == (second.text, second.line)
    assert "-- two;" in second.lead


def test_bodies_may_hold_semicolons() -> None:
    body = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2; $$"
    atomic = "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END"

    assert [body, atomic] == [s.text for s in parse_statements(f"{body};\n{atomic};")]


def test_offsets_count_characters_of_any_alphabet() -> None:
    first, second = parse_statements("INSERT INTO a VALUES ('לוח ברירת מחדל — ☎');\n-- נוסף\nSELECT 'ß';")

    assert "INSERT INTO a VALUES ('לוח ברירת מחדל — ☎')" == first.text
    assert "SELECT 'ß'" == second.text
    assert 3 == second.line


def test_comments_and_space_do_not_change_what_a_statement_is() -> None:
    (one,) = parse_statements("CREATE TABLE a (id int -- key\n  PRIMARY KEY)")
    (same,) = parse_statements("create table a(id integer primary key)")
    (other,) = parse_statements("CREATE TABLE a (id bigint PRIMARY KEY)")

    assert one.canonical == same.canonical
    assert one.canonical != other.canonical


def test_constants_are_part_of_what_a_statement_is() -> None:
    (one,) = parse_statements("ALTER TABLE a ALTER x SET DEFAULT 1")
    (two,) = parse_statements("ALTER TABLE a ALTER x SET DEFAULT 2")

    assert one.canonical != two.canonical


def test_a_syntax_error_has_file_line_and_the_line_s_text() -> None:
    with pytest.raises(MigrationError) as caught:
        parse_statements("SELECT 1;\n\nCREAT TABLE שם (id int);\n", path="9_x.sql")

    assert ("9_x.sql", 3) == (caught.value.path, caught.value.line)
    assert 'syntax error at or near "CREAT"' in caught.value.message
    assert "CREAT TABLE שם" in caught.value.hint


def test_psql_s_commands_are_told_from_sql() -> None:
    with pytest.raises(MigrationError) as caught:
        parse_statements("\\set ON_ERROR_STOP on\nSELECT 1;", path="9_x.sql")

    assert "backslash" in caught.value.hint


def test_what_stands_behind_the_last_statement_is_kept() -> None:
    text = "SELECT 1;\n-- end atomic\n"

    assert "-- end atomic" in trailing_comments(text, parse_statements(text))


def test_a_file_of_comments_has_no_statements() -> None:
    assert [] == parse_statements("-- nothing here\n/* nor here */\n")
