"""Files that were run as a whole before their turn."""

from __future__ import annotations

import pytest

from trueup.chain.model import LockedChain
from trueup.decide.model import Wish
from trueup_testing.facts import chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

COLUMN = step("ALTER TABLE a ADD y int", {"column public.a.y": "integer"}, file="4")
INDEX = step("CREATE INDEX i ON a (y)", {"index public.i": "ON public.a USING btree (y)"}, file="4")
UPDATE = "UPDATE a SET x = x * 100"


def chain(sql: str, place: int) -> tuple[LockedChain, list[int]]:
    """A step of rows at this place in a file with two facts, behind another file; and the steps of the first and it."""
    beside = [COLUMN, INDEX]
    beside.insert(place, step(sql, locks={"public.a": "RX"}, file="4"))
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}, file="1"),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}, file="2") for n in "bcde"),
        *beside,
        step("CREATE TABLE z ()", {"table public.z": ""}, file="5"),
    )
    return locked, [0, *(5 + n for n in range(3) if n != place)]


@pytest.mark.parametrize("marked", [[], [0]])
@pytest.mark.parametrize(
    "sql, place, verdict",
    [
        (UPDATE, 1, "assume"),
        (UPDATE, 0, "conflict"),
        (UPDATE, 2, "conflict"),
        ("UPDATE a SET x = 1", 1, "assume"),
        ("UPDATE a SET x = 1", 2, "run"),
        ("DELETE FROM a", 1, "assume"),
        ("DELETE FROM a", 2, "conflict"),
        ("TRUNCATE a", 0, "conflict"),
        ("DELETE FROM a WHERE x = 1", 2, "run"),
        ("INSERT INTO a SELECT random() * x FROM a", 1, "conflict"),
    ],
)
def test_where_the_rest_of_its_file_is_there_it_may_have_run(
    sql: str, place: int, verdict: str, marked: list[int]
) -> None:
    locked, done = chain(sql, place)

    found = verdicts(decided(locked, state(locked, done), marked=marked))

    assert ["run"] * 4 == found[1:5]
    if marked or verdict != "run":  # without a ledger what is on its table is asked as well
        assert verdict == found[5 + place]


def test_where_a_fact_of_its_file_is_missing_it_goes_by_its_place() -> None:
    locked, (first, column, _) = chain(UPDATE, 1)

    assert "run" == verdicts(decided(locked, state(locked, [first, column]), marked=[first]))[6]


def test_what_no_step_before_has_made_yet_was_not_taken_away() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}, file="1"),
        step("CREATE TABLE b ()", {"table public.b": ""}, file="2"),
        step(UPDATE, locks={"public.a": "RX"}, file="3"),
        step("DROP TABLE b", gone=["table public.b"], file="3"),
    )

    assert ["skip", "run", "run", "run"] == verdicts(decided(locked, state(locked, [0]), marked=[0]))


@pytest.mark.parametrize("there, verdict", [(True, "assume"), (None, "conflict")])
def test_rows_of_a_table_that_the_file_makes_are_there_or_a_persons_matter(*, there: bool | None, verdict: str) -> None:
    table = {"table public.t": "", "column public.t.x": "integer"}
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}, file="1"),
        step("CREATE TABLE b ()", {"table public.b": ""}, file="2"),
        step("CREATE TABLE t (x int)", table, file="3"),
        step("INSERT INTO t (x) VALUES (7)", locks={"public.t": "RX"}, file="3"),
    )
    condition = '(EXISTS (SELECT FROM "t" WHERE "x" = 7))'
    wish = Wish(rows={} if there is None else {f"SELECT {condition}": there})

    assert verdict == verdicts(decided(locked, state(locked, [0, 2]), marked=[0], wish=wish))[3]
