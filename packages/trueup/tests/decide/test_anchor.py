"""Where in the chain a database stands."""

from __future__ import annotations

import random

import pytest

from trueup.chain.model import Effect, LockedChain
from trueup.decide.anchor import Anchor, find_anchor
from trueup.decide.trajectory import Trajectories, fold
from trueup_testing.facts import Made, chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

COLUMNS = ("column public.t.x", "column public.t.y")


def anchor(
    locked: LockedChain,
    live: dict[str, str],
    *,
    marked: set[int] | None = None,
    own: set[int] | None = None,
    excluded: set[int] | None = None,
) -> Anchor:
    done = (marked or set()) | (own or set())
    return find_anchor(
        locked.steps,
        Trajectories(locked.effects, locked.base),
        live,
        marked=frozenset(done),
        own=frozenset(own or ()),
        excluded=frozenset(excluded or ()),
    )


FIVE = chain_of(*(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abcde"))
CYCLE = chain_of(
    step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
    step("CREATE TABLE tmp ()", {"table public.tmp": ""}),
    step("DROP TABLE tmp", gone=["table public.tmp"]),
    step("CREATE TABLE b ()", {"table public.b": ""}),
    step("ALTER TABLE a RENAME x TO y", {"column public.a.y": "integer"}, gone=["column public.a.x"]),
)


@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("locked", [FIVE, CYCLE], ids=["growing", "dropping and renaming"])
def test_a_database_that_is_a_prefix_stands_there(locked: LockedChain, position: int) -> None:
    live = state(locked, position)

    found = anchor(locked, live)

    assert 0 == found.distance
    assert live == {k: v for k, v in fold(locked.effects, found.done, {}).items() if v is not None}


def test_an_empty_database_stands_before_everything() -> None:
    assert (0, ()) == (anchor(FIVE, {}).position, anchor(FIVE, {}).done)


def test_nothing_of_the_chain_is_before_everything_though_tables_come_and_go() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}),
        step("INSERT INTO a DEFAULT VALUES"),
        step("DROP TABLE a", gone=["table public.a"]),
    )

    assert 0 == anchor(locked, {}).position


def test_one_thing_missing_or_early_does_not_move_it() -> None:
    missing = state(FIVE, 4)
    del missing["table public.b"]
    early = state(FIVE, [0, 1, 4])

    assert (4, 1) == (anchor(FIVE, missing).position, anchor(FIVE, missing).distance)
    assert (2, 1) == (anchor(FIVE, early).position, anchor(FIVE, early).distance)


def test_a_tie_goes_to_the_later_place() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}),
        step("UPDATE a SET x = 1"),
        step("UPDATE a SET x = 2"),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )

    assert 3 == anchor(locked, state(locked, 1)).position


def test_a_tie_goes_to_the_end_of_a_file_first() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}, file="1"),
        step("CREATE TABLE z ()", {"table public.z": ""}, file="2"),
        step("DROP TABLE z", gone=["table public.z"], file="2"),
        step("UPDATE a SET x = 2", file="3"),
        step("CREATE TABLE b ()", {"table public.b": ""}, file="3"),
    )

    assert 3 == anchor(locked, state(locked, 1)).position


def test_marked_steps_are_done_wherever_they_stand() -> None:
    assert (0, 1, 3) == anchor(FIVE, state(FIVE, [0, 1, 3]), marked={3}).done


def test_behind_trueup_s_own_marks_a_step_counts_only_if_facts_say_so() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}),
        step("UPDATE a SET x = 1"),
        step("CREATE TABLE b ()", {"table public.b": ""}),
        step("UPDATE a SET x = 2"),
    )

    assert (0,) == anchor(locked, state(locked, 1), own={0}).done
    assert (0, 1, 2) == anchor(locked, state(locked, 3), own={0}).done


def test_behind_trueup_s_own_marks_what_is_there_behind_a_file_that_is_not_came_early() -> None:
    live = state(FIVE, [0, 2, 3, 4])

    assert (0,) == anchor(FIVE, live, own={0}).done
    assert (0, 1) == anchor(FIVE, state(FIVE, [0, 1, 3, 4]), own={0}).done
    assert (0, 1, 2, 3, 4) == anchor(FIVE, live, own={0, 3}).done  # a mark behind it: it was there
    assert (0, 1, 2, 3, 4) == anchor(FIVE, live, marked={0}).done  # others' marks say less


def test_it_was_lost_where_more_is_there_than_anybody_runs_early_or_others_of_its_file() -> None:
    many = chain_of(*(step(f"CREATE TABLE t{n} ()", {f"table public.t{n}": ""}) for n in range(12)))
    of_a_file = chain_of(*(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}, file="1") for n in "abcde"))

    assert 12 == anchor(many, state(many, [*range(9), 10, 11]), own={0}).position
    assert 5 == anchor(of_a_file, state(of_a_file, [0, 2, 3, 4]), own={0}).position


def test_what_a_step_takes_off_a_column_that_is_missing_does_not_show_that_it_has_run() -> None:
    made = {"column public.t.c": "integer", "default public.t.c": "1"}
    locked = chain_of(
        step("CREATE TABLE t ()", {"table public.t": ""}),
        step("ALTER TABLE t ADD c int DEFAULT 1", made, file="2"),
        step("ALTER TABLE t ALTER c DROP DEFAULT", gone=["default public.t.c"], file="2"),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abc"),
    )

    assert (0,) == anchor(locked, state(locked, [0, 3, 4, 5]), own={0}).done


def test_what_went_with_its_table_does_not_say_that_its_step_has_not_run() -> None:
    column = step("ALTER TABLE a ADD x int", {"column public.a.x": "integer"})
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}),
        column,
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bcd"),
    )

    assert (0, 1, 2, 3, 4) == anchor(locked, state(locked, [2, 3, 4]), own={0}).done


def test_with_an_older_ledger_a_tie_counts_as_done() -> None:
    locked = chain_of(step("CREATE TABLE a ()", {"table public.a": ""}), step("UPDATE a SET x = 1"))

    assert (0, 1) == anchor(locked, state(locked, 1), marked={0}).done


def test_a_leftover_says_that_the_step_that_drops_it_has_not_run() -> None:
    locked = chain_of(
        step("CREATE TABLE old ()", {"table public.old": ""}),
        step("DROP TABLE old", gone=["table public.old"]),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abc"),
    )
    live = {**state(locked, 5), "table public.old": ""}

    assert 1 == anchor(locked, live).position
    assert 5 == anchor(locked, live, marked={1}).position


def test_a_thing_of_that_name_that_is_another_is_no_leftover() -> None:
    locked = chain_of(
        step("CREATE VIEW v AS SELECT 1", {"view public.v": "AS SELECT 1;"}),
        step("DROP VIEW v", gone=["view public.v"]),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abc"),
    )
    live = {**state(locked, 5), "view public.v": "AS SELECT 'mine';"}

    assert 5 == anchor(locked, live).position


def test_steps_that_are_not_asked_for_are_not_looked_at() -> None:
    assert (0, 1) == anchor(FIVE, state(FIVE, 5), excluded={2, 3, 4}).done


def test_one_pass_finds_what_comparing_every_prefix_finds() -> None:
    numbers = random.Random(7)  # noqa: S311 - a reproducible sample
    for _ in range(60):
        locked = _random_chain(numbers)
        live = _disturbed(locked, numbers)
        paths = Trajectories(locked.effects, locked.base)
        if not any(key in live for key in paths.of):
            continue
        distances = []
        for position in range(len(locked.steps) + 1):
            wanted = state(locked, position)
            distances.append(sum(1 for key in paths.of if wanted.get(key) != live.get(key)))

        assert min(distances) == anchor(locked, live).distance


def _random_chain(numbers: random.Random) -> LockedChain:
    made: list[Made] = []
    there: list[str] = []
    for _ in range(numbers.randrange(3, 25)):
        name = f"table public.{numbers.choice('abcdefgh')}"
        if name in there and numbers.random() < 0.5:
            there.remove(name)
            made.append(step("DROP TABLE x", gone=[name]))
        else:
            value = numbers.choice(["", "UNLOGGED"])
            there.append(name)
            made.append(step("CREATE TABLE x ()", {name: value}))
    return chain_of(*made)


def _disturbed(locked: LockedChain, numbers: random.Random) -> dict[str, str]:
    live = state(locked, numbers.randrange(len(locked.steps) + 1))
    for name in "abcdefgh":
        if numbers.random() < 0.2:
            live.pop(f"table public.{name}", None)
        elif numbers.random() < 0.1:
            live[f"table public.{name}"] = ""
    return live


def test_a_chain_of_thousands_is_decided_at_once() -> None:
    locked = chain_of(
        *(
            step("CREATE TABLE x ()", {f"table public.t{n}": "", f"column public.t{n}.id": "integer"})
            for n in range(3000)
        )
    )
    live = state(locked, 1500)

    assert 1500 == decided(locked, live).anchor


def test_before_something_left_over_the_nearest_state_is_looked_for_again() -> None:
    table = {"table public.t": "", "column public.t.x": "public.kind"}
    locked = chain_of(
        step("CREATE TYPE kind AS ENUM ('a')", {"enum public.kind": "'a'"}, file="1"),
        step("CREATE TABLE t (x kind)", table, file="2"),
        step("ALTER TABLE t ALTER x TYPE text", {"column public.t.x": "text"}, file="3"),
        step("DROP TYPE kind", gone=["enum public.kind"], file="3"),
        *(step(f"ALTER TABLE t ADD y{n} int", {f"column public.t.y{n}": "integer"}, file="4") for n in range(3)),
    )

    assert 2 == decided(locked, state(locked, [0, 1, 4, 5, 6])).anchor


def test_a_type_that_was_not_changed_is_changed_though_what_follows_is_there() -> None:
    locked = chain_of(
        step("CREATE TABLE t (x int)", {"table public.t": "", "column public.t.x": "integer"}),
        step("ALTER TABLE t ALTER x TYPE bigint", {"column public.t.x": "bigint"}),
        *(step(f"ALTER TABLE t ADD y{n} int", {f"column public.t.y{n}": "integer"}) for n in range(3)),
    )

    decision = decided(locked, state(locked, [0, 2, 3, 4]))

    assert ["reconcile", "run", *["reconcile"] * 3] == verdicts(decision)
    assert [] == decision.drift


def test_a_type_that_was_not_changed_before_an_early_rename_is_a_persons_matter() -> None:
    locked = chain_of(
        step("CREATE TABLE t (x int, y int)", {"table public.t": "", **dict.fromkeys(COLUMNS, "integer")}),
        step("ALTER TABLE t ALTER x TYPE bigint", {"column public.t.x": "bigint"}),
        step(
            "ALTER TABLE t RENAME TO m",
            {"table public.m": "", "column public.m.x": "bigint", "column public.m.y": "integer"},
            gone=["table public.t", *COLUMNS],
        ),
        step("ALTER TABLE m RENAME x TO z", {"column public.m.z": "bigint"}, gone=["column public.m.x"]),
    )
    live = {"table public.m": "", "column public.m.z": "integer", "column public.m.y": "integer"}

    decision = decided(locked, live)

    assert ["reconcile", "conflict", "reconcile", "reconcile"] == verdicts(decision)
    assert ("bigint", "integer") == (decision.steps[1].differences[0].wanted, decision.steps[1].differences[0].found)
    assert ["column public.m.z"] == [d.fact for d in decided(locked, {**live, "column public.m.z": "text"}).drift]


def test_a_step_of_several_statements_may_have_stopped_between_them() -> None:
    parts = (
        Effect(gone=("column public.t.x",)),
        Effect(set={"column public.t.x": "integer"}),
        Effect(set={"column public.t.y": "integer"}),
    )
    locked = chain_of(
        step("CREATE TABLE t (x int)", {"table public.t": "", "column public.t.x": "integer"}),
        step(
            "ALTER TABLE t DROP x; ALTER TABLE t ADD x int; ALTER TABLE t ADD y int",
            {"column public.t.y": "integer"},
            parts=parts,
        ),
    )

    decision = decided(locked, {"table public.t": ""})

    assert (1, 0) == (decision.anchor, decision.distance)
    assert {} == decision.heal
    assert ["reconcile", "complete"] == verdicts(decision)
    assert (1, 2) == decision.steps[1].statements


def test_what_is_set_on_a_column_behind_its_retype_waits_for_that() -> None:
    column, default, not_null = (f"{kind} public.a.x" for kind in ("column", "default", "not null"))
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": ""}),
        step("ALTER TABLE a ADD x boolean DEFAULT false", {column: "boolean", default: "false", not_null: ""}),
        step("ALTER TABLE a ALTER x TYPE text", {column: "text"}),
        step("ALTER TABLE a ALTER x SET DEFAULT ''", {default: "''::text"}),
        step("ALTER TABLE a ALTER x DROP NOT NULL", gone=[not_null]),
        step("CREATE TABLE b ()", {"table public.b": "", "column public.b.x": "text", "column public.b.y": "text"}),
    )

    assert (0, 1, 5) == anchor(locked, state(locked, [0, 1, 5])).done
    decision = decided(locked, state(locked, [0, 1, 5]))
    assert ["reconcile", "reconcile", "run", "run", "run", "reconcile"] == verdicts(decision)
    assert {} == decision.heal


def test_labels_in_their_old_order_are_of_a_swap_that_has_not_run() -> None:
    swapped = {"enum public.e": "'b', 'a'", "default public.a.x": "'a'"}
    locked = chain_of(
        step("CREATE TYPE e AS ENUM ('a', 'b')", {"enum public.e": "'a', 'b'"}),
        step("CREATE TABLE a (x e)", {"table public.a": "", "column public.a.x": "public.e"}),
        step("ALTER TYPE e RENAME TO e_old", swapped),
    )

    assert (0, 1) == anchor(locked, {**state(locked, 2), "default public.a.x": "'a'"}).done
