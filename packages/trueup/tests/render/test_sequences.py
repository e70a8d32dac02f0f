"""Sequences that are made for rows that are there already."""

from __future__ import annotations

from trueup.render.sequences import State, fill_owned, fill_shared

_VALUE = "AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 99 CACHE 1"
_TABLE: State = {
    "column app.a.id": "bigint",
    "constraint app.a.a_pkey": "PRIMARY KEY (id)",
    "column app.a.n": "integer",
    "constraint app.a.n_key": "UNIQUE (n)",
}


def test_a_new_sequence_starts_behind_the_furthest_value_of_its_column() -> None:
    wanted: State = {**_TABLE, "column app.a.code": "text", "domain app.number": "integer NOT NULL"}
    wanted = {**wanted, "column app.a.m": "app.number"}

    (statement,) = fill_owned("app.a.id", 'app."it\'s"', wanted)

    assert "CASE WHEN q.seqincrement > 0 THEN max(t.id) ELSE min(t.id) END" in statement
    assert "WHERE q.seqrelid = 'app.\"it''s\"'::regclass" in statement
    assert fill_owned("app.a.m", "app.s", wanted)
    assert [] == fill_owned("app.a.code", "app.s", wanted)


def test_one_that_no_column_names_starts_behind_the_keys_that_are_given_from_outside() -> None:
    wanted = {**_TABLE, "column app.b.id": "integer", "constraint app.b.b_pkey": "PRIMARY KEY (id)"}
    wanted |= {"identity app.b.id": "ALWAYS", "column app.c.id": "uuid", "constraint app.c.c_pkey": "PRIMARY KEY (id)"}

    expected = (
        "SELECT pg_catalog.setval('app.s', used.furthest) "
        "FROM (SELECT greatest((SELECT max(id) FROM app.a)) AS furthest) AS used "
        "WHERE used.furthest BETWEEN SYMMETRIC (SELECT last_value FROM app.s) AND 99"
    )

    assert [expected] == list(fill_shared("app.s", _VALUE, wanted, wanted))


def test_one_that_counts_down_starts_below_the_rows_of_the_columns_that_default_to_it() -> None:
    wanted = {**_TABLE, "default app.a.n": "nextval('app.s'::regclass)"}
    down = "AS bigint START WITH -1 INCREMENT BY -1 MINVALUE -99 MAXVALUE -1 CACHE 1"

    expected = (
        "SELECT pg_catalog.setval('app.s', used.furthest) "
        "FROM (SELECT least((SELECT min(n) FROM app.a)) AS furthest) AS used "
        "WHERE used.furthest BETWEEN SYMMETRIC (SELECT last_value FROM app.s) AND -99"
    )

    assert [expected] == list(fill_shared("app.s", down, wanted, wanted))


def test_nothing_is_set_where_its_tables_are_to_be_made_too() -> None:
    assert [] == list(fill_shared("app.s", _VALUE, _TABLE, {}))
