"""What rows are asked before healing starts."""

from __future__ import annotations

import pytest

from trueup.planning.probes import probes

pytestmark = pytest.mark.unit

FOUND = {
    "table app.a": "",
    "column app.a.x": "integer",
    "column app.a.y": "integer",
    "table app.b": "",
    "column app.b.id": "integer",
}


def asked(key: str, value: str, *, found: dict[str, str] = FOUND, filled: frozenset[str] = frozenset()) -> list[str]:
    return [probe.sql for probe in probes([key], {key: value}, found, filled)]


def test_not_null_asks_for_nulls() -> None:
    assert ["SELECT EXISTS (SELECT FROM app.a WHERE x IS NULL)"] == asked("not null app.a.x", "")


def test_not_null_of_a_lost_column_asks_for_rows() -> None:
    assert ["SELECT EXISTS (SELECT FROM app.a)"] == asked("not null app.a.lost", "")


@pytest.mark.parametrize(
    "domain, default, expected",
    [
        ("text NOT NULL", None, ["SELECT EXISTS (SELECT FROM app.a)"]),
        ("text NOT NULL", "'b'::app.d", []),
        ("text DEFAULT 'a' NOT NULL", None, []),
        ("text", None, []),
    ],
)
def test_a_lost_column_of_a_domain_without_null_asks_for_rows(
    domain: str, default: str | None, expected: list[str]
) -> None:
    wanted = {"column app.a.lost": "app.d", "default app.a.lost": default}
    found = {**FOUND, "domain app.d": domain}

    assert expected == [probe.sql for probe in probes(["column app.a.lost"], wanted, found, frozenset())]


def test_not_null_of_a_lost_column_that_gets_a_value_asks_nothing() -> None:
    wanted = {"not null app.a.lost": "", "default app.a.lost": "0"}

    assert [] == asked("not null app.a.lost", "", filled=frozenset({"app.a.lost"}))
    assert [] == probes(["not null app.a.lost"], wanted, FOUND, frozenset())


@pytest.mark.parametrize(
    "key, value",
    [
        ("constraint app.a.k", "UNIQUE (x, y)"),
        ("constraint app.a.k", "PRIMARY KEY (x, y)"),
        ("index app.i", "UNIQUE ON app.a USING btree (x, y)"),
    ],
)
def test_a_key_asks_for_duplicates(key: str, value: str) -> None:
    assert [
        "SELECT EXISTS (SELECT FROM app.a WHERE x IS NOT NULL AND y IS NOT NULL GROUP BY x, y HAVING count(*) > 1)"
    ] == asked(key, value)


def test_a_foreign_key_asks_for_orphans() -> None:
    value = "FOREIGN KEY (x) REFERENCES app.b(id) ON DELETE CASCADE"

    (sql,) = asked("constraint app.a.k", value)

    assert sql == (
        "SELECT EXISTS (SELECT FROM app.a c WHERE c.x IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM app.b p WHERE p.id = c.x))"
    )


def test_a_check_asks_for_rows_that_break_it() -> None:
    assert ["SELECT EXISTS (SELECT FROM app.a WHERE NOT ((x > 0)))"] == asked("constraint app.a.k", "CHECK ((x > 0))")


def test_to_validate_a_check_asks_for_rows_that_break_it() -> None:
    found = {**FOUND, "constraint app.a.k": "CHECK ((x > 0))"}

    assert ["SELECT EXISTS (SELECT FROM app.a WHERE NOT ((x > 0)))"] == asked("validated app.a.k", "", found=found)


@pytest.mark.parametrize(
    "key, value",
    [
        ("index app.i", "ON app.a USING btree (x)"),
        ("index app.i", "UNIQUE ON app.a USING btree (lower(x))"),
        ("constraint app.a.k", "UNIQUE (lost)"),
        ("constraint app.a.k", "FOREIGN KEY (x) REFERENCES app.lost(id)"),
        ("constraint app.lost.k", "CHECK ((x > 0))"),
        ("default app.a.x", "1"),
        ("view app.v", "AS SELECT 1;"),
    ],
)
def test_where_nothing_can_be_asked_nothing_is(key: str, value: str) -> None:
    assert [] == asked(key, value)


def made_anew(key: str, value: str, *columns: str, default: str = "") -> list[str]:
    """The questions where these columns of app.b or app.a were lost and are made in the same go."""
    defaults = {f"default {column}": default for column in columns if default}
    keys = [*(f"column {column}" for column in columns), key]
    return [one.sql for one in probes(keys, {key: value, **defaults}, FOUND, frozenset()) if one.fact == key]


def test_what_pointed_to_a_lost_column_points_to_nothing() -> None:
    value = "FOREIGN KEY (x) REFERENCES app.b(lost)"

    assert ["SELECT EXISTS (SELECT FROM app.a c WHERE c.x IS NOT NULL)"] == made_anew(
        "constraint app.a.k", value, "app.b.lost"
    )


@pytest.mark.parametrize(
    "value, default, wanted",
    [
        ("UNIQUE (lost)", "0", ["SELECT EXISTS (SELECT FROM app.a OFFSET 1)"]),
        (
            "UNIQUE (lost, x)",
            "0",
            ["SELECT EXISTS (SELECT FROM app.a WHERE x IS NOT NULL GROUP BY x HAVING count(*) > 1)"],
        ),
        ("UNIQUE (lost)", "gen_random_uuid()", []),
        ("UNIQUE (lost)", "", []),
    ],
)
def test_a_lost_column_that_gets_one_value_may_have_been_the_key(value: str, default: str, wanted: list[str]) -> None:
    assert wanted == made_anew("constraint app.a.k", value, "app.a.lost", default=default)
