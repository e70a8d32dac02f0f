"""What an UPDATE would find, as far as its text says."""

from __future__ import annotations

import pytest

from trueup.chain.inserts import rows_it_leaves
from trueup.chain.updates import ends_the_same, finds_unfilled, has_no_key, may_make, stands_between
from trueup_testing.grammar import one

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "sql, same",
    [
        ("UPDATE a SET x = y", True),
        ("UPDATE a SET x = b.x FROM b WHERE b.id = a.id", True),
        ("UPDATE a AS c SET x = a.x FROM a WHERE a.id = c.id", True),
        ("UPDATE a SET x = x + 1", False),
        ("UPDATE a SET x = a.x || 'b'", False),
        ("UPDATE a SET x = y, y = x", False),
        ("UPDATE a SET x = x, z = x", True),
        ("UPDATE a SET x = coalesce(x, 0), y = COALESCE(a.y, z)", True),
        ("UPDATE a SET x = coalesce(x, y), y = 1", False),
        ("UPDATE a SET x = coalesce(y, x)", False),
        ("UPDATE a SET x = greatest(1, x)", True),
        ("UPDATE a SET x = trim(x), y = lower(y), z = jsonb_set(z, '{a}', '1')", True),
        ("UPDATE a SET z = jsonb_set(z, '{a}', z -> 'b')", False),
        ("UPDATE a SET x = nullif(x, '')", True),
        ("UPDATE a SET x = replace(x, 'a', 'aa')", False),
        ("UPDATE a SET x = random()", True),
        ("INSERT INTO a VALUES (1)", False),
    ],
)
def test_what_is_set_hangs_on_itself_or_not(sql: str, *, same: bool) -> None:
    assert same == ends_the_same(one(sql))


def test_a_column_that_has_no_more_than_its_default_is_not_filled() -> None:
    filling = one("UPDATE h SET av = p.av FROM p WHERE h.p = p.id")

    assert 'NOT EXISTS (SELECT FROM "h" WHERE "av" IS NOT NULL)' in finds_unfilled(filling)
    assert """NOT EXISTS (SELECT FROM "h" WHERE "av" IS DISTINCT FROM 'x'::text)""" in finds_unfilled(
        filling, {"av": "'x'::text"}
    )


def test_a_row_stands_between_two_updates_of_the_same_columns() -> None:
    first, second = one("UPDATE r SET d = 'one' WHERE c = 'A'"), one("UPDATE r SET d = 'two' WHERE c = 'A'")

    assert """EXISTS (SELECT FROM "r" WHERE (c = 'A') AND (c = 'A') AND "d" = 'one')""" == stands_between(first, second)
    assert "" == stands_between(first, first)
    assert "" == stands_between(one("UPDATE q SET d = 'one' WHERE c = 'A'"), second)
    assert "" == stands_between(one("UPDATE r SET e = 'one' WHERE c = 'A'"), second)


def test_a_key_that_an_insert_does_not_name_has_its_default() -> None:
    insert, keys = one("INSERT INTO a (v) VALUES (0)"), [frozenset({"one"})]

    assert [] == rows_it_leaves(insert, keys)
    assert ['(EXISTS (SELECT FROM "a" WHERE "one" = 1))'] == rows_it_leaves(insert, keys, defaults={"one": "1"})


@pytest.mark.parametrize(
    "sql, wanted",
    [
        ("UPDATE p SET d = jsonb_set(d, '{k}', d -> 'l') - 'l'", ["d #> '{k}'"]),
        (
            "UPDATE p SET d = jsonb_set(jsonb_set(d, '{a}', '1'), '{b}'::text[], '2')",
            ["d #> '{b}'::text[]", "d #> '{a}'"],
        ),
        ("UPDATE p SET d = jsonb_set(e, '{a}', '1')", []),
        ("UPDATE p SET d = jsonb_set(d, ARRAY[n], '1')", []),
        ("UPDATE p SET d = jsonb_set(d, '{a}', '1'), n = 1", []),
        ("DELETE FROM p", []),
    ],
)
def test_keys_that_are_set_in_a_document(sql: str, wanted: list[str]) -> None:
    there = " OR ".join(f'"d" {path.removeprefix("d ")} IS NOT NULL' for path in wanted)

    assert (f'NOT EXISTS (SELECT FROM "p" WHERE {there})' if wanted else "") == has_no_key(one(sql))


FINDS = "UPDATE a SET s = 'x' WHERE s = 'b' AND k = 1"


@pytest.mark.parametrize(
    "change, later, wanted",
    [
        (FINDS, "UPDATE a SET s = 'b' WHERE s = 'c'", True),
        (FINDS, "UPDATE a SET s = lower(s)", True),
        (FINDS, "INSERT INTO a (id, s) SELECT 1, 'b' FROM c", True),
        (FINDS, "INSERT INTO a (id, s) VALUES (1, 'c'), (2, 'b')", True),
        (FINDS, "UPDATE a SET s = 'c' WHERE s = 'd'", False),
        (FINDS, "UPDATE a SET s = 'b' WHERE k = 2", False),
        (FINDS, "UPDATE a SET t = 'b'", False),
        (FINDS, "UPDATE c SET s = 'b'", False),
        (FINDS, "INSERT INTO a (id) VALUES (1)", False),
        (FINDS, "DELETE FROM a WHERE k = 2", False),
        ("UPDATE a SET s = 'x' WHERE s IS NULL", "UPDATE a SET s = t", False),
        ("DELETE FROM a WHERE s = 'b'", "INSERT INTO a (id) SELECT 1", True),
        ("DELETE FROM a WHERE s = 'b'", "INSERT INTO a (id, s) VALUES (1, 'c')", False),
        ("DELETE FROM a", "INSERT INTO a VALUES (1)", True),
        ("INSERT INTO a VALUES (1)", "UPDATE a SET s = 'b'", False),
    ],
)
def test_what_a_later_statement_may_make_for_an_earlier_one_to_find(change: str, later: str, wanted: bool) -> None:
    assert wanted == may_make(one(later), one(change))
