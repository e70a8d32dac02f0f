"""A data step is kept from what later steps have done early to the tables that it writes."""

from __future__ import annotations

import pytest

from trueup.chain.model import LockedChain
from trueup.decide.model import Wish
from trueup_testing.facts import Made, chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

TRIGGER = "CREATE TRIGGER {name} BEFORE {event} ON public.a FOR EACH ROW EXECUTE FUNCTION public.f()"
FIRST = step(
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE sql AS 'SELECT g()'; CREATE TABLE a (x int, y text DEFAULT 'q')",
    {
        "function public.f()": "f",
        "function public.g()": "g",
        "function public.h()": "h",
        "table public.a": "",
        "column public.a.x": "integer",
        "column public.a.y": "text",
        "default public.a.y": "'q'::text",
        "trigger public.a.first": TRIGGER.format(name="first", event="INSERT"),
    },
)
OTHERS = [step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "bcde"]


def chain(late: Made, sql: str) -> LockedChain:
    return chain_of(FIRST, step(sql, locks={"public.a": "RX"}), *OTHERS, late)


@pytest.mark.parametrize(
    "facts, gone",
    [
        (
            {"trigger public.a.t": TRIGGER.format(name="t", event="DELETE OR INSERT"), "trigger state public.a.t": "x"},
            [],
        ),
        ({"rule public.a.r": "CREATE RULE r AS\n    ON INSERT TO public.a DO INSTEAD NOTHING;"}, []),
        ({"default public.a.y": "'new'::text"}, []),
        ({"function public.g()": "other"}, []),
        ({}, ["default public.a.y"]),
    ],
)
def test_what_would_change_its_rows_is_what_it_was(facts: dict[str, str], gone: list[str]) -> None:
    locked = chain(step("SELECT", facts, gone=gone), "INSERT INTO a (x) VALUES (1)")
    before = state(locked, 1)

    decision = decided(locked, state(locked, [0, 6]), marked=[0])

    assert ["skip", "run", "run", "run", "run", "run", "reconcile"] == verdicts(decision)
    assert {k: v for k, v in facts.items() if not k.startswith("function ")} == decision.steps[1].aside
    assert {key: before[key] for key in (*facts, *gone) if key in before} == decision.steps[1].former


@pytest.mark.parametrize(
    "fact, value",
    [
        ("trigger public.a.t", TRIGGER.format(name="t", event="UPDATE")),
        ("trigger public.b.t", TRIGGER.format(name="t", event="INSERT")),
        ("default public.a.x", "1"),
        ("function public.h()", "other"),
        ("constraint public.a.c", "CHECK ((x > 0))"),
    ],
)
def test_what_has_no_part_in_it_stays(fact: str, value: str) -> None:
    locked = chain(step("SELECT", {fact: value}), "INSERT INTO a (x) VALUES (1)")

    decision = decided(locked, state(locked, [0, 6]), marked=[0])

    assert "run" == decision.steps[1].verdict
    assert ({}, {}) == (decision.steps[1].aside, decision.steps[1].former)


@pytest.mark.parametrize(
    "sql, action, there, verdict",
    [
        ("DELETE FROM a WHERE x > 1", "ON DELETE CASCADE", "rows", "conflict"),
        ("DELETE FROM a WHERE x > 1", "ON DELETE CASCADE", "", "run"),
        ("DELETE FROM a WHERE x > 1", "ON UPDATE CASCADE", "rows", "run"),
        ("UPDATE a SET x = x + 1 WHERE x > 1", "ON UPDATE CASCADE", "rows", "conflict"),
        ("UPDATE a SET x = x + 1 WHERE x > 1", "ON DELETE CASCADE", "rows", "run"),
        ("UPDATE a SET y = x WHERE x > 1", "ON UPDATE CASCADE", "rows", "run"),
        ("TRUNCATE a CASCADE", "", "rows", "conflict"),
        ("TRUNCATE a CASCADE", "", "", "run"),
    ],
)
def test_rows_that_would_go_along_by_a_foreign_key_are_a_persons_matter(
    sql: str, action: str, there: str, verdict: str
) -> None:
    key = f"FOREIGN KEY (x) REFERENCES public.a(x) {action}".strip()
    child = step("CREATE TABLE k (x int)", {"table public.k": "", "column public.k.x": "integer"})
    locked = chain_of(
        FIRST,
        child,
        step(sql, locks={"public.a": "RX"}),
        *OTHERS,
        step("ALTER TABLE k ADD FOREIGN KEY (x) REFERENCES a", {"constraint public.k.f": key}),
    )
    live = state(locked, [0, 1, 7])
    asked = decided(locked, live, marked=[0, 1]).asked

    decision = decided(locked, live, marked=[0, 1], wish=Wish(rows=dict.fromkeys(asked, not there)))

    assert verdict == decision.steps[2].verdict


@pytest.mark.parametrize("sql, verdict", [("TRUNCATE a CASCADE", "conflict"), ("DELETE FROM a", "run")])
def test_a_table_that_no_step_makes_is_not_emptied_along(sql: str, verdict: str) -> None:
    locked = chain_of(FIRST, step(sql, locks={"public.a": "AE"}), *OTHERS)
    mine = {"table public.mine": "", "constraint public.mine.f": "FOREIGN KEY (x) REFERENCES public.a(x)"}

    decision = decided(locked, {**state(locked, 1), **mine}, marked=[0])

    assert verdict == decision.steps[1].verdict


@pytest.mark.parametrize(
    "sql, kind, file, verdict",
    [
        ("UPDATE a SET x = 1 WHERE y = 'q'", "boolean", "2", "conflict"),
        ("UPDATE a SET x = 1 WHERE y = 'q'", "character varying(9)", "2", "run"),
        ("UPDATE a SET x = 1 WHERE y = 'q'", "boolean", "3", "run"),
        ("UPDATE a SET y = 'r'", "boolean", "2", "run"),
    ],
)
def test_what_its_file_has_retyped_was_to_be_read_before(sql: str, kind: str, file: str, verdict: str) -> None:
    locked = chain_of(
        FIRST,
        step("CREATE TABLE k (x int)", {"table public.k": "", "column public.k.x": "integer"}, file="2"),
        step(sql, locks={"public.a": "RX"}, file="2"),
        step("ALTER TABLE a ALTER y TYPE boolean", {"column public.a.y": kind}, file=file),
        *OTHERS,
    )

    assert verdict == decided(locked, state(locked, [0, 3]), marked=[0]).steps[2].verdict


@pytest.mark.parametrize(
    "sql, verdict", [("INSERT INTO a SELECT FROM b", "conflict"), ("INSERT INTO a VALUES (1)", "run")]
)
def test_a_table_that_it_names_and_that_is_gone_by_now_is_a_persons_matter(sql: str, verdict: str) -> None:
    reads = step(sql, locks={"public.a": "RX", "public.b": "AS"})
    locked = chain_of(FIRST, OTHERS[0], reads, *OTHERS[1:], step("DROP TABLE b", gone=["table public.b"]))

    assert verdict == verdicts(decided(locked, state(locked, [0, 1, 6]), marked=[0, 1]))[2]
