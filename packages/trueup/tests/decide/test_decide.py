"""Cursors and verdicts: what a database at some state needs."""

from __future__ import annotations

import pytest

from trueup.chain.model import Effect, LockedChain
from trueup.decide.model import Decision, Wish
from trueup_testing.facts import Made, chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

LEADS = {"table public.leads": "", "column public.leads.id": "integer", "not null public.leads.id": ""}
PHONE = {"column public.leads.phone": "character varying(32)"}
WIDER = {"column public.leads.phone": "character varying(64)"}
INDEX = {"index public.idx": "ON public.leads USING btree (phone)", "valid public.idx": ""}
CALLS = {"table public.calls": "", "column public.calls.id": "integer"}

CHAIN = chain_of(
    step("CREATE TABLE leads (id int NOT NULL)", LEADS),
    step("ALTER TABLE leads ADD phone varchar(32)", PHONE),
    step("CREATE INDEX idx ON leads (phone)", INDEX),
    step("CREATE TABLE calls (id int)", CALLS),
    step("ALTER TABLE leads ALTER phone TYPE varchar(64)", WIDER, locks={"public.leads": "AE"}),
)


def without(facts: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in facts.items() if key not in keys}


def drift(decision: Decision) -> dict[str, tuple[str | None, str | None]]:
    return {d.fact: (d.wanted, d.found) for d in decision.drift}


# --- roll forward ---


def test_an_empty_database_runs_everything() -> None:
    decision = decided(CHAIN, {})

    assert ["run"] * 5 == verdicts(decision)
    assert {} == decision.heal
    assert [] == decision.drift


@pytest.mark.parametrize("position", range(1, 6))
def test_a_prefix_runs_the_rest(position: int) -> None:
    decision = decided(CHAIN, state(CHAIN, position))

    assert ["reconcile"] * position + ["run"] * (5 - position) == verdicts(decision)
    assert {} == decision.heal
    assert [] == decision.drift


def test_marked_steps_are_skipped() -> None:
    decision = decided(CHAIN, state(CHAIN, 2), marked=[0, 1])

    assert ["skip", "skip", "run", "run", "run"] == verdicts(decision)


@pytest.mark.parametrize("given", [{}, {"not null public.calls.id": ""}, {"index public.other": "ON public.calls"}])
def test_where_everything_is_marked_only_what_differs_is_told(given: dict[str, str]) -> None:
    decision = decided(CHAIN, state(CHAIN, 5) | given, marked=range(5))

    assert ["skip"] * 5 == verdicts(decision)
    assert (decision.anchor, decision.distance, decision.heal) == (5, 0, {})
    assert list(drift(decision)) == [key for key in given if key.startswith("not null ")]


def test_a_later_step_done_early_is_reconciled_in_its_turn() -> None:
    decision = decided(CHAIN, state(CHAIN, [0, 3]))

    assert ["reconcile", "run", "run", "reconcile", "run"] == verdicts(decision)


def test_a_step_half_there_is_completed_with_what_is_missing() -> None:
    live = without(state(CHAIN, 4), "column public.calls.id", "valid public.idx")
    at_two = {**state(CHAIN, 2), "table public.calls": ""}

    healed = decided(CHAIN, live)
    completed = decided(CHAIN, at_two)

    assert {"column public.calls.id": 3, "valid public.idx": 2} == healed.heal
    assert ["reconcile", "reconcile", "run", "complete", "run"] == verdicts(completed)
    assert ("column public.calls.id",) == completed.steps[3].missing


def test_verdicts_say_why() -> None:
    decision = decided(CHAIN, {**state(CHAIN, 2), "table public.calls": ""})

    assert "its effect is there" == decision.steps[0].reason
    assert "nothing of it is there" == decision.steps[2].reason
    assert "1 of its 2 facts are missing" == decision.steps[3].reason


# --- cursors ---


def test_what_is_missing_before_the_anchor_is_healed() -> None:
    decision = decided(CHAIN, without(state(CHAIN, 5), "index public.idx", "valid public.idx"))

    assert ["reconcile"] * 5 == verdicts(decision)
    assert {"index public.idx": 2, "valid public.idx": 2} == decision.heal
    assert "missing and are healed first" in decision.steps[2].reason


def test_what_the_chain_drops_later_is_missing_all_the_same() -> None:
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "column public.a.x": "text", "column public.a.z": "text"}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bcd"),
        step("ALTER TABLE a DROP x, DROP z", gone=["column public.a.x", "column public.a.z"]),
    )
    live = without(state(locked, 4), "column public.a.x")

    decision = decided(locked, live)

    assert 4 == decision.anchor
    assert {"column public.a.x": 0} == decision.heal
    assert "run" == verdicts(decision)[4]


E_FACTS = (("table", ""), ("column", ".v"), ("column", ".w"))


@pytest.mark.parametrize(
    "before, heal",
    [
        ("UPDATE a SET z = 'a'", {}),
        ("CREATE VIEW v AS SELECT x FROM a", {"column public.a.x": 0, "default public.a.x": 0}),
        ("CREATE VIEW v AS SELECT * FROM a", {"column public.a.x": 0, "default public.a.x": 0}),
    ],
)
def test_what_a_later_step_only_takes_away_is_not_missed_unless_one_before_it_uses_it(
    before: str, heal: dict[str, int]
) -> None:
    columns = {"column public.a.x": "text", "default public.a.x": "''", "column public.a.z": "text"}
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", **columns}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bcd"),
        step(before, {"view public.v": "AS …"} if "VIEW" in before else {}, locks={"public.a": "RX"}),
        step("CREATE TABLE e (v int, w int)", {f"{key} public.e{name}": "" for key, name in E_FACTS}),
        step("ALTER TABLE a DROP x", gone=["column public.a.x", "default public.a.x"], locks={"public.a": "AE"}),
    )
    live = without(state(locked, 4), "column public.a.x", "default public.a.x")

    decision = decided(locked, live)

    assert heal == decision.heal
    assert ("run" if heal else "reconcile") == verdicts(decision)[6]


def test_a_value_of_a_later_step_is_early_and_stays() -> None:
    live = {**state(CHAIN, 3), **WIDER}

    decision = decided(CHAIN, live)

    assert ["reconcile", "reconcile", "reconcile", "run", "reconcile"] == verdicts(decision)
    assert {} == decision.heal
    assert [] == decision.drift


def test_a_value_of_an_earlier_step_is_healed_where_that_loses_nothing() -> None:
    live = {**state(CHAIN, 5), **PHONE}

    decision = decided(CHAIN, live, marked=range(5))

    assert {"column public.leads.phone": 4} == decision.heal


def test_a_value_of_an_earlier_step_stays_where_rows_would_not_fit() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x text)", {"table public.a": "", "column public.a.x": "text"}),
        step("ALTER TABLE a ALTER x TYPE int", {"column public.a.x": "integer"}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )
    live = {**state(locked, 3), "column public.a.x": "text"}

    decision = decided(locked, live, marked=range(3))

    assert {} == decision.heal
    assert {"column public.a.x": ("integer", "text")} == drift(decision)


def test_a_value_the_chain_never_gave_is_drift_where_no_step_needs_it() -> None:
    live = {**state(CHAIN, 5), "column public.leads.phone": "text", "default public.leads.id": "7"}

    decision = decided(CHAIN, live)

    assert ["reconcile"] * 5 == verdicts(decision)
    assert {
        "column public.leads.phone": ("character varying(64)", "text"),
        "default public.leads.id": (None, "7"),
    } == drift(decision)
    assert "5_leads_phone_altercolumntype" == decision.drift[0].origin


def test_a_value_the_chain_never_gave_is_a_conflict_where_a_step_needs_it() -> None:
    live = {**state(CHAIN, 4), "column public.leads.phone": "text"}

    decision = decided(CHAIN, live, marked=range(4))

    assert "conflict" == verdicts(decision)[4]
    (difference,) = decision.conflicts[0].differences
    assert ("column public.leads.phone", "character varying(64)", "text") == (
        difference.fact,
        difference.wanted,
        difference.found,
    )


def test_things_that_no_step_touches_are_not_looked_at() -> None:
    live = {**state(CHAIN, 5), "table public.mine": "", "index public.mine_idx": "ON public.mine USING btree (x)"}

    decision = decided(CHAIN, live)

    assert [] == decision.drift
    assert ["reconcile"] * 5 == verdicts(decision)


# --- what rows hang on ---

RENAME = chain_of(
    step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
    step("CREATE TABLE b ()", {"table public.b": ""}),
    step("ALTER TABLE a RENAME x TO y", {"column public.a.y": "integer"}, gone=["column public.a.x"]),
    step("CREATE TABLE c ()", {"table public.c": ""}),
)


def test_a_rename_runs_as_written() -> None:
    assert ["reconcile", "reconcile", "run", "run"] == verdicts(decided(RENAME, state(RENAME, 2)))


def test_a_rename_done_early_is_reconciled() -> None:
    live = state(RENAME, [0, 2])

    decision = decided(RENAME, live)

    assert "column public.a.x" not in decision.heal
    assert "column public.a.y" not in decision.heal
    assert "run" not in (verdicts(decision)[0], verdicts(decision)[2])


def test_a_rename_half_done_is_for_a_person() -> None:
    live = {**state(RENAME, 2), "column public.a.y": "integer"}

    decision = decided(RENAME, live)

    assert "conflict" == verdicts(decision)[2]
    assert {d.fact for d in decision.conflicts[0].differences} == {"column public.a.x"}


TABLES = chain_of(*(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "abcde"))


def test_a_lost_table_that_the_ledger_marks_is_for_a_person() -> None:
    live = without(state(TABLES, 5), "table public.b")

    marked, unmarked = decided(TABLES, live, marked=range(5)), decided(TABLES, live)

    assert [("table public.b", "2_b_table")] == [(d.fact, d.origin) for d in marked.heal_conflicts]
    assert [] == unmarked.heal_conflicts
    assert {"table public.b": 1} == unmarked.heal


def test_a_table_that_only_an_older_ledger_marks_is_made_again() -> None:
    decision = decided(TABLES, without(state(TABLES, 5), "table public.b"), adopted=range(5))

    assert [] == decision.heal_conflicts
    assert {"table public.b": 1} == decision.heal


# --- what was asked for ---


def test_steps_behind_the_target_are_not_asked_for() -> None:
    decision = decided(CHAIN, state(CHAIN, 1), wish=Wish(until=3))

    assert ["reconcile", "run", "run", "blocked", "blocked"] == verdicts(decision)
    assert [] == decision.drift


CONTRACT = chain_of(
    step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
    step("ALTER TABLE a DROP x", gone=["column public.a.x"], phase="contract"),
    step("CREATE TABLE b ()", {"table public.b": ""}),
)


def test_contract_steps_wait_until_they_are_asked_for() -> None:
    waiting = decided(CONTRACT, state(CONTRACT, 1))
    asked = decided(CONTRACT, state(CONTRACT, 1), wish=Wish(contract=True))

    assert ["reconcile", "blocked", "run"] == verdicts(waiting)
    assert "--phase contract" in waiting.steps[1].reason
    assert ["reconcile", "run", "run"] == verdicts(asked)


def test_pending_contract_steps_are_no_drift() -> None:
    decision = decided(CONTRACT, state(CONTRACT, [0, 2]))

    assert ["reconcile", "blocked", "reconcile"] == verdicts(decision)
    assert [] == decision.drift
    assert {} == decision.heal


def test_a_contract_step_that_was_done_is_reconciled_and_not_healed() -> None:
    decision = decided(CONTRACT, state(CONTRACT, 3))

    assert "reconcile" == verdicts(decision)[1]
    assert {} == decision.heal


@pytest.mark.parametrize("position", [0, 1])
def test_a_contract_step_is_not_done_because_what_it_removes_was_never_made(position: int) -> None:
    locked = chain_of(
        step("CREATE TABLE b ()", {"table public.b": ""}),
        step("CREATE TABLE old ()", {"table public.old": ""}),
        step("DROP TABLE old", gone=["table public.old"], phase="contract"),
        step("CREATE TABLE c ()", {"table public.c": ""}),
    )

    decision = decided(locked, state(locked, position))

    assert ["run", "blocked", "run"] == verdicts(decision)[1:]
    assert "table public.old" not in decision.heal


def test_a_person_s_word_is_taken() -> None:
    live = {**state(CHAIN, 4), "column public.leads.phone": "text"}

    applied = decided(CHAIN, live, marked=range(4), wish=Wish(applied={4}))
    run = decided(CHAIN, live, marked=range(4), wish=Wish(run={4}))

    assert "reconcile" == verdicts(applied)[4]
    assert "run" == verdicts(run)[4]
    assert [] == applied.conflicts
    assert [] == run.conflicts


def test_a_person_s_word_is_taken_on_steps_before_the_anchor_and_on_data() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"}),
        step("UPDATE a SET x = 1", locks={"public.a": "RX"}),
        step("CREATE VIEW v AS SELECT 1", {"view public.v": "AS SELECT 1;"}),
    )

    run = decided(locked, state(locked, 3), wish=Wish(run={1, 2}))
    applied = decided(locked, state(locked, 1), marked=[0], wish=Wish(applied={1, 2}))

    assert ["reconcile", "run", "run"] == verdicts(run)
    assert ["skip", "reconcile", "reconcile"] == verdicts(applied)


@pytest.mark.parametrize("answer, verdict", [(True, "reconcile"), (False, "run")])
def test_the_author_s_query_decides(answer: bool, verdict: str) -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": ""}),
        step("UPDATE a SET x = 1", done_when="SELECT true"),
    )

    assert verdict == verdicts(decided(locked, state(locked, 2), wish=Wish(answers={1: answer})))[1]


def test_a_mark_wins_over_the_author_s_query() -> None:
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": ""}),
        step("UPDATE a SET x = 1", done_when="SELECT true"),
    )

    assert "skip" == verdicts(decided(locked, state(locked, 2), marked=[0, 1], wish=Wish(answers={1: False})))[1]


def test_foreign_keys_as_an_orm_makes_them_are_completed() -> None:
    wanted = "FOREIGN KEY (lead_id) REFERENCES public.leads(id) ON DELETE CASCADE"
    locked = chain_of(
        step(
            "CREATE TABLE calls ()",
            {"table public.calls": "", "constraint public.calls.fk": wanted, "validated public.calls.fk": ""},
        ),
        step("CREATE TABLE b ()", {"table public.b": ""}),
    )
    live = {**state(locked, 2), "constraint public.calls.fk": wanted.removesuffix(" ON DELETE CASCADE")}

    assert {"constraint public.calls.fk": 0} == decided(locked, live).heal


def test_a_constraint_that_is_not_enforced_is_made_anew() -> None:
    key, check = "constraint public.calls.few", "CHECK ((id < 9))"
    made = {"table public.calls": "", key: check, "validated public.calls.few": ""}
    locked = chain_of(step("CREATE TABLE calls ()", made), step("CREATE TABLE b ()", {"table public.b": ""}))
    live = {"table public.calls": "", "table public.b": "", key: f"{check} NOT ENFORCED"}

    assert {key: 0, "validated public.calls.few": 0} == decided(locked, live).heal


DROPS_ITS_KEY = "DO $$ BEGIN ALTER TABLE new DROP COLUMN IF EXISTS y; END $$"


@pytest.mark.parametrize(
    "sql, mode, lost",
    [
        ("INSERT INTO new SELECT 1", "", 0),
        ("INSERT INTO new SELECT x FROM old", "AS", 1),
        ("INSERT INTO new SELECT f()", "AS", 1),
        (DROPS_ITS_KEY, "AE", 0),
        ("DO $$ BEGIN TRUNCATE old; END $$", "AE", 1),
    ],
)
def test_a_table_in_the_ledger_that_was_dropped_early_is_missed_only_by_who_reads_it(
    sql: str, mode: str, lost: int
) -> None:
    old = {"table public.old": "", "column public.old.x": "integer"}
    locked = chain_of(
        step("CREATE TABLE old (x int)", old),
        step("CREATE TABLE new (x int)", {"table public.new": "", "column public.new.x": "integer"}),
        step(sql, locks={"public.old": mode} if mode else {}),
        *(step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "abc"),
        step("DROP TABLE old", gone=list(old)),
    )

    decision = decided(locked, state(locked, [1]), marked=[0, 1])

    assert lost == len(decision.heal_conflicts)


def test_a_definition_that_names_a_column_renamed_early_is_no_stranger() -> None:
    check = "constraint public.leads.c"
    locked = chain_of(
        step("CREATE TABLE leads (id int)", {**LEADS, **PHONE, check: "CHECK ((phone <> ''::text))"}),
        *(step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "abc"),
        step("ALTER TABLE leads DROP CONSTRAINT c", gone=[check]),
        step(
            "ALTER TABLE leads RENAME phone TO tel",
            {"column public.leads.tel": "character varying(32)"},
            gone=["column public.leads.phone"],
        ),
    )
    live = {**LEADS, "column public.leads.tel": "character varying(32)", check: "CHECK ((tel <> ''::text))"}

    assert ["reconcile", "run", "run", "run", "run", "reconcile"] == verdicts(decided(locked, live))


def test_a_key_from_before_a_step_of_the_prefix_is_healed_under_the_names_that_its_columns_have_since() -> None:
    key = "constraint public.a.pk"
    x, y, z = ({f"column public.a.{name}": "integer"} for name in "xyz")
    locked = chain_of(
        step(
            "CREATE TABLE a (x int, CONSTRAINT pk PRIMARY KEY (x))", {"table public.a": "", **x, key: "PRIMARY KEY (x)"}
        ),
        step("ALTER TABLE a ADD z int", z),
        step("ALTER TABLE a DROP CONSTRAINT pk, ADD CONSTRAINT pk PRIMARY KEY (z, x)", {key: "PRIMARY KEY (z, x)"}),
        step("ALTER TABLE a RENAME x TO y", {**y, key: "PRIMARY KEY (z, y)"}, gone=x),
        *(step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "bcdefgh"),
    )

    older = decided(locked, {**state(locked, 11), key: "PRIMARY KEY (y)"})
    another = decided(locked, {**state(locked, 11), key: "PRIMARY KEY (y, z)"})

    assert ([key], []) == ([*older.heal], [*drift(older)])
    assert ([], [key]) == ([*another.heal], [*drift(another)])


def test_a_constraint_that_a_later_step_renames_is_made_again_before() -> None:
    make = step("CREATE TABLE a ()", {"table public.a": "", "constraint public.a.k": "PRIMARY KEY (x)"})
    rename = step(
        "ALTER TABLE a RENAME CONSTRAINT k TO l",
        {"constraint public.a.l": "PRIMARY KEY (x)"},
        gone=["constraint public.a.k"],
    )
    locked = chain_of(make, rename)

    decision = decided(locked, {"table public.a": ""}, marked=[0])

    assert {"constraint public.a.k": 0} == decision.heal
    assert ["skip", "run"] == verdicts(decision)


def test_a_column_of_a_table_that_is_swapped_later_is_missing() -> None:
    """What the swap takes away at its end was never there: that it is not there now says nothing."""
    x = {"column public.a.x": "integer", "column public.a.y": "integer"}
    old = {key.replace("public.a", "public.old"): value for key, value in x.items()}
    rename = step("ALTER TABLE a RENAME TO old", {"table public.old": "", **old}, gone=["table public.a", *x])
    again = step("CREATE TABLE a (x int, y int)", {"table public.a": "", **x})
    drop = step("DROP TABLE old", gone=["table public.old", *old])
    locked = chain_of(step("CREATE TABLE a (x int, y int)", {"table public.a": "", **x}), rename, again, drop)

    decision = decided(locked, {"table public.a": "", "column public.a.x": "integer"}, marked=[0])

    assert {"column public.a.y": 0} == decision.heal
    assert ["skip", "run", "run", "run"] == verdicts(decision)


USED = {"index public.i": "ON public.a USING btree (x, y)", "valid public.i": ""}
UNIQUE = {"constraint public.a.k": "UNIQUE (x, y)"}
MORE = {"default public.b.x": "1", "not null public.b.x": ""}


@pytest.mark.parametrize(
    "sql, lost, healed",
    [
        ("ALTER TABLE a ADD CONSTRAINT k UNIQUE USING INDEX i", [], ["index public.i", "valid public.i"]),
        ("DROP INDEX i", [], []),
        ("DROP INDEX i", ["column public.a.y"], ["column public.a.y", "index public.i", "valid public.i"]),
    ],
)
def test_an_index_is_made_again_where_a_later_step_uses_it_up_or_its_column_was_lost(
    sql: str, lost: list[str], healed: list[str]
) -> None:
    a = {"table public.a": "", "column public.a.x": "integer", "column public.a.y": "integer"}
    made = {**(UNIQUE if "k" in sql.split() else {}), "table public.b": "", "column public.b.x": "integer", **MORE}
    locked = chain_of(
        step("CREATE TABLE a (x int, y int)", a), step("CREATE INDEX i ON a (x, y)", USED), step(sql, made, gone=USED)
    )

    decision = decided(locked, {key: value for key, value in a.items() if key not in lost}, marked=[0, 1])

    assert set(healed) == set(decision.heal)


def test_what_is_said_of_an_index_is_missing_only_with_it() -> None:
    a = {"table public.a": "", "column public.a.x": "integer", "column public.a.y": "integer"}
    i = "index public.i"
    again = step(
        "DROP INDEX i; CREATE INDEX i ON a (y)",
        {i: "ON public.a USING btree (y)"},
        parts=(
            Effect(set={}, gone=(i, "valid public.i")),
            Effect(set={i: "ON public.a USING btree (y)", "valid public.i": ""}),
        ),
    )
    drop = step("DROP INDEX i", gone=[i, "valid public.i"])
    locked = chain_of(step("CREATE TABLE a (x int, y int)", a), step("CREATE INDEX i ON a (x, y)", USED), again, drop)

    assert {} == decided(locked, a, marked=[0, 1]).heal


@pytest.mark.parametrize("refers, healed", [(True, {"constraint public.a.k"}), (False, set())])
def test_a_key_that_a_later_step_refers_to_is_made_again_though_another_drops_it(
    *, refers: bool, healed: set[str]
) -> None:
    a = {"table public.a": "", "column public.a.x": "integer", **UNIQUE}
    foreign = {"constraint public.b.f": "FOREIGN KEY (x, z) REFERENCES public.a(y, x)"} if refers else {}
    b = {"table public.b": "", "column public.b.x": "integer", **MORE, **foreign}
    drop = step("ALTER TABLE a DROP CONSTRAINT k", gone=UNIQUE)
    locked = chain_of(step("CREATE TABLE a (x int)", a), step("CREATE TABLE b (x int)", b), drop)

    decision = decided(locked, {key: value for key, value in a.items() if key not in UNIQUE}, marked=[0])

    assert healed == decision.heal.keys()


def test_a_label_that_a_later_swap_takes_away_is_added_all_the_same() -> None:
    first, more = {"enum public.e": "'a', 'b'"}, {"enum public.e": "'a', 'b', 'c'"}
    locked = chain_of(
        step("CREATE TYPE e AS ENUM ('a', 'b')", first),
        step("ALTER TYPE e ADD VALUE 'c'", more),
        step("CREATE TABLE t (e e)", {"table public.t": "", "column public.t.e": "e"}),
        step("CREATE TYPE n AS ENUM ('a', 'b'); DROP TYPE e; ALTER TYPE n RENAME TO e", first),
    )

    assert ["run"] * 4 == verdicts(decided(locked, {}))
    assert ["skip", "run", "run", "run"] == verdicts(decided(locked, first, marked=[0]))


def test_a_block_that_adds_labels_of_which_one_is_there_is_completed_in_their_order() -> None:
    e = "enum public.e"
    labels = [{e: "'a', 'b'"}, {e: "'a', 'b', 'c'"}]
    sql = "ALTER TYPE e ADD VALUE 'b'; ALTER TYPE e ADD VALUE 'c'"
    block = step(sql, labels[-1], parts=tuple(Effect(set=one) for one in labels))
    others = [step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "ab"]
    locked = chain_of(step("CREATE TYPE e AS ENUM ('a')", {e: "'a'"}), *others, block)

    last = decided(locked, {e: "'a', 'c'"}).steps[-1]

    assert ("complete", (e,), ()) == (last.verdict, last.missing, last.statements)


def test_what_a_rename_would_make_twice_is_a_persons_matter() -> None:
    column = "column public.t.k"
    locked = chain_of(
        step("CREATE TYPE k AS ENUM ('a')", {"enum public.k": "'a'"}),
        step("CREATE TABLE t (k k)", {"table public.t": "", column: "public.k"}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bc"),
        step("ALTER TYPE k RENAME TO m", {"enum public.m": "'a'", column: "public.m"}, gone=["enum public.k"]),
        step("ALTER TABLE t ALTER k TYPE text", {column: "text"}),
        step("DROP TYPE m", gone=["enum public.m"]),
        step("CREATE TYPE m AS ENUM ('z')", {"enum public.m": "'z'"}),
    )

    decision = decided(locked, {**state(locked, 2), "enum public.m": "'z'"})

    assert "conflict" == verdicts(decision)[4]
    assert "something is called already as it is to call it" == decision.steps[4].reason


def test_a_rename_of_a_type_is_not_completed_where_a_column_of_it_has_another_by_now() -> None:
    column = "column public.t.k"
    locked = chain_of(
        step("CREATE TYPE k AS ENUM ('a')", {"enum public.k": "'a'"}),
        step("CREATE TABLE t (k k)", {"table public.t": "", column: "public.k"}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bc"),
        step("ALTER TYPE k RENAME TO m", {"enum public.m": "'a'", column: "public.m"}, gone=["enum public.k"]),
        step("CREATE TYPE k AS ENUM ('a', 'z')", {"enum public.k": "'a', 'z'"}),
        step("ALTER TABLE t ALTER k TYPE k[]", {column: "public.k[]"}),
    )

    verdict = decided(locked, {**state(locked, 2), column: "public.k[]"}).steps[4]

    assert ("conflict", ["enum public.m", "enum public.k"]) == (
        verdict.verdict,
        [difference.fact for difference in verdict.differences],
    )


def test_a_rename_that_changes_foreign_keys_makes_nothing_twice() -> None:
    key = "constraint public.b.b_a"
    locked = chain_of(
        step("CREATE TABLE a ()", {"table public.a": "", "constraint public.a.a_pkey": "PRIMARY KEY (id)"}),
        step("CREATE TABLE b ()", {"table public.b": "", key: "FOREIGN KEY (a) REFERENCES public.a(id)"}),
        step(
            "ALTER TABLE a RENAME TO c",
            {
                "table public.c": "",
                "constraint public.c.a_pkey": "PRIMARY KEY (id)",
                key: "FOREIGN KEY (a) REFERENCES public.c(id)",
            },
            gone=["table public.a", "constraint public.a.a_pkey"],
        ),
        step("CREATE TABLE d ()", {"table public.d": ""}),
        step("CREATE TABLE e (x int)", {"table public.e": "", "column public.e.x": "integer"}),
    )

    assert "run" == verdicts(decided(locked, {**state(locked, 2), "table public.d": ""}))[2]


def test_a_rename_that_marks_stand_behind_is_not_taken_as_early_for_a_table_that_is_lost() -> None:
    name, other = ({f"constraint public.a.{name}": "UNIQUE (x)"} for name in "kl")
    locked = chain_of(
        step("CREATE TABLE r (x int)", {"table public.r": "", "column public.r.x": "integer"}),
        step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer", **name}),
        step("ALTER TABLE a RENAME CONSTRAINT k TO l", other, gone=name),
        step("ALTER TABLE r ADD y int", {"column public.r.y": "integer"}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bc"),
        step("CREATE TABLE d ()", {"table public.d": ""}),
    )
    live = {key: value for key, value in state(locked, 6).items() if "public.r" not in key}

    decision = decided(locked, live, adopted=[1, 3, 5])

    assert ["reconcile", "skip", "reconcile", "skip", "reconcile", "skip", "run"] == verdicts(decision)
    assert {"table public.r", "column public.r.x", "column public.r.y"} == decision.heal.keys()


@pytest.mark.parametrize("action, healed", [(" ON DELETE CASCADE", True), (" ON DELETE SET NULL", True), ("", False)])
def test_a_foreign_key_that_takes_rows_along_is_made_again_before_a_delete(*, action: str, healed: bool) -> None:
    key = {"constraint public.b.f": f"FOREIGN KEY (x) REFERENCES public.a(x){action}", "validated public.b.f": ""}
    tables = {"table public.a": "", "table public.b": ""}
    locked = chain_of(
        step("CREATE TABLE a (); CREATE TABLE b ()", {**tables, **key}),
        step("DELETE FROM a WHERE x = 1", locks={"public.a": "RX", "public.b": "RX"}),
        *(step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "cdef"),
        step("ALTER TABLE b DROP CONSTRAINT f", gone=key),
    )

    assert healed == ("constraint public.b.f" in decided(locked, tables, marked=[0]).heal)


@pytest.mark.parametrize("using, verdict", [("x::text", "reconcile"), ("'n' || x", "conflict")])
def test_values_that_a_step_makes_others_are_not_passed_over_where_a_later_one_has_retyped_them(
    using: str, verdict: str
) -> None:
    column = "column public.a.x"
    locked = chain_of(
        step("CREATE TABLE a (x int)", {"table public.a": "", column: "integer"}),
        *(step(f"CREATE TABLE {n} ()", {f"table public.{n}": ""}) for n in "bc"),
        step(f"ALTER TABLE a ALTER x TYPE text USING {using}", {column: "text"}),
        step("ALTER TABLE a ALTER x TYPE varchar(20)", {column: "character varying(20)"}),
    )
    live = {**state(locked, 1), column: "character varying(20)"}
    empty = Wish(rows={"SELECT NOT EXISTS (SELECT FROM public.a)": True})

    assert verdict == verdicts(decided(locked, live))[3]
    assert "reconcile" == verdicts(decided(locked, live, wish=empty))[3]


def test_what_came_early_to_the_table_before_the_one_it_is_for_is_a_persons_matter() -> None:
    body = {"column public.price.body": "text"}

    def chain(*made: Made) -> LockedChain:
        first = step("CREATE TABLE price ()", {"table public.price": "", "column public.price.id": "integer"})
        away = step(
            "ALTER TABLE price RENAME TO old",
            {"table public.old": "", "column public.old.id": "integer"},
            gone=["table public.price", "column public.price.id"],
        )
        return chain_of(first, away, *made, step("ALTER TABLE price ADD body text", body))

    anew = chain(step("CREATE TABLE price ()", {"table public.price": ""}))
    back = chain(step("ALTER TABLE old RENAME TO price", {"table public.price": ""}, gone=["table public.old"]))

    (conflict,) = decided(anew, {**state(anew, 1), **body}).conflicts
    assert "column public.price.body, made here already for a later table of this name" in conflict.reason
    assert [] == decided(back, {**state(back, 1), **body}).conflicts


def test_a_key_that_is_dropped_later_is_made_again_for_a_foreign_key_that_is() -> None:
    key = {"constraint public.a.a_pkey": "PRIMARY KEY (id)"}
    reference = {"constraint public.b.b_fkey": "FOREIGN KEY (a) REFERENCES public.a(id) ON DELETE CASCADE"}
    a, b = (
        {"table public.a": "", "column public.a.id": "integer"},
        {"table public.b": "", "column public.b.a": "integer"},
    )
    locked = chain_of(
        step("CREATE TABLE a (id int PRIMARY KEY)", {**a, **key}),
        step("CREATE TABLE b (a int REFERENCES a)", {**b, **reference}),
        step("DELETE FROM a", locks={"public.a": "RE"}),
        step("DROP TABLE b", gone=[*b, *reference]),
        step("DROP TABLE a", gone=[*a, *key]),
    )

    assert {*key, *reference} == decided(locked, {**a, **b}, marked=[0, 1]).heal.keys()


@pytest.mark.parametrize("default, verdict", [("'v7'::text", "complete"), ("now()", "run")])
def test_a_text_that_is_the_default_of_a_column_retyped_early_stays_a_text(default: str, verdict: str) -> None:
    column, key = "column public.b.p", "default public.b.p"
    locked = chain_of(
        step("CREATE TABLE b (p text)", {"table public.b": "", column: "text", "column public.b.id": "integer"}),
        step("ALTER TABLE b ALTER p SET DEFAULT 'v7'", {key: default}),
        step("ALTER TABLE b ALTER p TYPE varchar", {column: "character varying"}),
    )

    decision = decided(locked, {**state(locked, 1), column: "character varying"}, marked=[0])

    assert ["skip", verdict, "reconcile"] == verdicts(decision)
    assert ((key,) if verdict == "complete" else ()) == decision.steps[1].missing


def test_a_column_is_early_for_the_table_that_it_is_on() -> None:
    column = {"column public.price.body": "text"}
    locked = chain_of(
        step("CREATE TABLE price ()", {"table public.price": "", "column public.price.id": "integer"}),
        *(step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "bc"),
        step("ALTER TABLE price ADD body text", column),
        step(
            "ALTER TABLE price RENAME TO old",
            {"table public.old": "", "column public.old.id": "integer", "column public.old.body": "text"},
            gone=["table public.price", "column public.price.id", *column],
        ),
        step("CREATE TABLE price ()", {"table public.price": "", "column public.price.id": "text", **column}),
    )

    decision = decided(locked, {**state(locked, 1), **column}, marked=[0])

    assert ["skip", "run", "run", "reconcile", "run", "run"] == verdicts(decision)


@pytest.mark.parametrize("found, verdict", [("character varying(30)", "run"), ("character varying(5)", "conflict")])
def test_a_type_that_somebody_has_widened_is_changed_to_one_that_holds_all_of_it(found: str, verdict: str) -> None:
    column = "column public.a.x"
    locked = chain_of(
        step("CREATE TABLE a (x varchar(10))", {"table public.a": "", column: "character varying(10)"}),
        step("CREATE TABLE b ()", {"table public.b": ""}),
        step("ALTER TABLE a ALTER x TYPE text", {column: "text"}),
    )

    assert verdict == verdicts(decided(locked, {**state(locked, 1), column: found}, marked=[0]))[2]
