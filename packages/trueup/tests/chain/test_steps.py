"""Which statements are one step, what each step is called, and what holds for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.chain.model import Batches, Step
from trueup.chain.steps import read_chain
from trueup.errors import MigrationError
from trueup_testing.chains import write_chain

pytestmark = pytest.mark.unit

Read = Callable[[str], tuple[Step, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The steps of a file `7_x.sql`."""

    def steps(text: str) -> tuple[Step, ...]:
        return read_chain(write_chain(tmp_path / "migrations", {"7_x.sql": text})).steps

    return steps


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.id for step in steps]


# --- names ---


def test_every_statement_is_a_step_called_by_number_and_name(read: Read) -> None:
    steps = read("CREATE TABLE a (id int);\nALTER TABLE a ADD b int;\nUPDATE a SET b = 1;")

    assert ["7_a_table", "7_a_b", "7_update_a"] == ids(steps)
    assert [1, 2, 3] == [step.line for step in steps]
    assert ("7_x", "7", "7_x.sql") == (steps[0].migration, steps[0].number, steps[0].path)


def test_zeros_in_front_of_a_number_do_not_count(tmp_path: Path) -> None:
    chain = read_chain(write_chain(tmp_path, {"0007_x.sql": "CREATE TABLE a (id int)"}))

    assert "7_a_table" == chain.steps[0].id


def test_a_name_that_comes_twice_is_counted(read: Read) -> None:
    assert ["7_update_a", "7_update_a_2", "7_update_a_3"] == ids(read("UPDATE a SET b = 1;" * 3))


def test_a_number_that_comes_twice_gives_way_to_the_file_s_name(tmp_path: Path) -> None:
    files = {"7_x.sql": "CREATE TABLE a ()", "7_y.sql": "CREATE TABLE a ()", "8_z.sql": "CREATE TABLE a ()"}

    assert ["7_x_a_table", "7_y_a_table", "8_a_table"] == ids(read_chain(write_chain(tmp_path, files)).steps)


def test_an_author_s_name_and_former_ids(read: Read) -> None:
    (step,) = read("-- step: call_runs (was 40a, 40b)\nCREATE TABLE r ();")

    assert "7_call_runs" == step.id
    assert ("40a", "40b") == step.former


def test_an_author_s_name_used_twice_is_an_error_with_its_place(read: Read) -> None:
    with pytest.raises(MigrationError, match=r"7_x\.sql:4: two steps are called again"):
        read("-- step: again\nCREATE TABLE a ();\n-- step: again\nCREATE TABLE b ();")


def test_ids_are_unique_in_the_whole_chain(read: Read) -> None:
    steps = read("-- step: a_b_2\nSELECT 1;\nALTER TABLE a ADD b int;\nALTER TABLE a ADD b int;\nSELECT 2;\nSELECT 3;")

    assert len(steps) == len(set(ids(steps)))


# --- blocks ---


@pytest.mark.parametrize(
    "opens, closes",
    [("-- atomic\n", "-- end atomic\n"), ("BEGIN;\n", "COMMIT;\n"), ("START TRANSACTION;\n", "END;\n")],
)
def test_a_block_is_one_step(read: Read, opens: str, closes: str) -> None:
    steps = read(
        f"CREATE TABLE a ();\n{opens}CREATE TABLE b ();\nCREATE TABLE c ();\n{closes}CREATE TABLE d ();",
    )

    assert ["7_a_table", "7_b_table", "7_d_table"] == ids(steps)
    assert ("CREATE TABLE b ()", "CREATE TABLE c ()") == steps[1].statements


def test_a_block_may_end_the_file(read: Read) -> None:
    (step,) = read("-- atomic\nCREATE TABLE b ();\nCREATE TABLE c ();\n-- end atomic\n")

    assert 2 == len(step.statements)


def test_a_file_for_a_tool_that_begins_before_it_and_commits_behind_it(read: Read) -> None:
    steps = read("CREATE TABLE b ();\nCOMMIT;\nBEGIN;\nCREATE TABLE c ();\nCREATE TABLE d ();")

    assert [1, 2] == [len(step.statements) for step in steps]


def test_directives_before_begin_hold_for_the_block(read: Read) -> None:
    (step,) = read(
        "-- step: both\n-- done when: SELECT true\nBEGIN;\nUPDATE a SET x = 1;\nUPDATE b SET x = 1;\nCOMMIT;"
    )

    assert "7_both" == step.id
    assert "SELECT true" == step.done_when


@pytest.mark.parametrize(
    "text, says",
    [
        ("-- atomic\nCREATE TABLE b ();", "a block that is not closed"),
        ("BEGIN;\nCREATE TABLE b ();", "a block that is not closed"),
        ("CREATE TABLE b ();\n-- end atomic", "`end atomic` without `atomic` before it"),
        ("CREATE TABLE b ();\nROLLBACK;", "ROLLBACK in a migration"),
        ("BEGIN;\nSAVEPOINT s;\nCOMMIT;", "SAVEPOINT in a migration"),
    ],
)
def test_a_wrong_block_is_an_error_with_its_place(read: Read, text: str, says: str) -> None:
    with pytest.raises(MigrationError, match=says) as caught:
        read(text)

    assert caught.value.message.startswith("7_x.sql:")


# --- settings ---


def test_a_setting_is_context_of_what_follows(read: Read) -> None:
    before, after = read("CREATE TABLE a ();\nSET search_path TO app;\nCREATE TABLE b ();")

    assert () == before.context
    assert ("SET LOCAL search_path TO app",) == after.context


def test_the_last_value_of_a_setting_counts(read: Read) -> None:
    (step,) = read("SET search_path TO a;\nSET work_mem = '1MB';\nSET search_path TO b;\nCREATE TABLE c ();")

    assert {"search_path TO b", "work_mem"} == {
        text.removeprefix("SET LOCAL ").split(' TO "')[0] for text in step.context
    }


def test_reset_all_forgets(read: Read) -> None:
    (step,) = read("SET search_path TO a;\nRESET ALL;\nCREATE TABLE c ();")

    assert () == step.context


def test_settings_end_with_the_file(tmp_path: Path) -> None:
    files = {"1_a.sql": "SET search_path TO app;\nCREATE TABLE a ();", "2_b.sql": "CREATE TABLE b ();"}

    _, second = read_chain(write_chain(tmp_path, files)).steps

    assert () == second.context


def test_a_setting_changes_what_a_step_is(read: Read) -> None:
    (plain,) = read("CREATE TABLE a ();")
    (moved,) = read("SET search_path TO s;\nCREATE TABLE a ();")

    assert plain.hash != moved.hash


# --- one transaction, one session ---


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE a IN EXCLUSIVE MODE",
        "SET LOCAL statement_timeout = 0",
        "SELECT set_config('app.x', 'y', true)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_what_needs_one_transaction_makes_one_step(read: Read, statement: str) -> None:
    first, rest = read(f"CREATE TABLE a ();\n{statement};\nUPDATE a SET x = 1;\nDROP TABLE b;")

    assert 1 == len(first.statements)
    assert 3 == len(rest.statements)


def test_a_concurrent_build_cannot_share_a_transaction(read: Read) -> None:
    steps = read("SET LOCAL lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY i ON a (x);\nUPDATE a SET x = 1;")

    (index,) = (step for step in steps if "CONCURRENTLY" in step.sql)
    assert index.no_transaction
    assert 1 == len(index.statements)


def test_a_concurrent_build_in_a_block_is_an_ordinary_one(read: Read) -> None:
    (step,) = read("BEGIN;\nCREATE INDEX CONCURRENTLY i ON a (x);\nUPDATE a SET x = 1;\nCOMMIT;")

    assert not step.no_transaction
    assert "CONCURRENTLY" not in step.sql


# --- removal and re-creation ---


def test_from_removal_to_re_creation_is_one_step(read: Read) -> None:
    steps = read(
        "CREATE TABLE z ();\nDROP VIEW v;\nALTER TABLE a ALTER x TYPE text;\nCREATE VIEW v AS SELECT x FROM a;\n"
        "SELECT 1;",
    )

    assert [1, 3, 1] == [len(step.statements) for step in steps]


def test_overlapping_re_creations_are_one_step(read: Read) -> None:
    steps = read(
        "DROP VIEW v;\nDROP TRIGGER g ON a;\nCREATE VIEW v AS SELECT 1;\nSELECT 1;\n"
        "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();\nSELECT 2;",
    )

    assert [5, 1] == [len(step.statements) for step in steps]


def test_a_removal_without_re_creation_stays_alone(read: Read) -> None:
    assert 3 == len(read("DROP VIEW v;\nCREATE VIEW w AS SELECT 1;\nSELECT 1;"))


def test_another_phase_is_another_step(read: Read) -> None:
    expand, contract = read("DROP VIEW v;\n-- phase: contract\nCREATE VIEW v AS SELECT 1;")

    assert ("expand", "contract") == (expand.phase, contract.phase)


# --- what holds for a step ---


def test_a_phase_holds_to_the_end_of_the_file(tmp_path: Path) -> None:
    files = {
        "1_a.sql": "CREATE TABLE a ();\n-- phase: contract\nDROP TABLE b;\nDROP TABLE c;",
        "2_b.sql": "CREATE TABLE d ();",
    }

    steps = read_chain(write_chain(tmp_path, files)).steps

    assert ["expand", "contract", "contract", "expand"] == [step.phase for step in steps]


def test_directives_reach_their_step(read: Read) -> None:
    (step,) = read(
        "-- step: fill\n-- done when: SELECT true\n-- backfill: a by id batch 100\n-- undo: DELETE FROM a\n"
        "-- as written\nUPDATE a SET x = 1;",
    )

    assert ("SELECT true", "DELETE FROM a") == (step.done_when, step.undo)
    assert Batches(table="a", columns=("id",), size=100) == step.backfill
    assert step.as_written


@pytest.mark.parametrize(
    "block",
    [
        "BEGIN;\nUPDATE a SET x = 1;\n-- backfill\nUPDATE a SET y = 2;\nCOMMIT;",
        "-- atomic\nSELECT 1;\n-- backfill\nSELECT 2;",
    ],
)
def test_a_backfill_inside_a_block_is_an_error_with_its_place(read: Read, block: str) -> None:
    with pytest.raises(MigrationError, match=r"7_x\.sql:4: a backfill in the middle of an atomic block"):
        read(block)


def test_a_file_that_needs_one_transaction_has_no_place_for_a_backfill(read: Read) -> None:
    with pytest.raises(MigrationError, match=r"7_x\.sql:4: a backfill in a file that needs one transaction"):
        read("CREATE TEMP TABLE t (x int);\nSELECT 1;\n-- backfill\nUPDATE a SET x = 1;")


def test_a_backfill_stays_out_of_the_block_that_makes_an_object_anew(read: Read) -> None:
    steps = read("DROP VIEW v;\n-- backfill\nUPDATE a SET x = 1;\nCREATE VIEW v AS SELECT 1;")

    assert ["drop_stmt", "update_stmt", "view_stmt"] == [tag for step in steps for tag in step.tags]


def test_a_step_is_guarded_if_all_its_data_statements_are(read: Read) -> None:
    block = "BEGIN;\nCREATE TABLE c ();\nUPDATE a SET x = 1 WHERE x IS NULL;\n{}\nCOMMIT;"
    guarded, *_ = read(block.format("INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING;"))
    open_, *_ = read(block.format("INSERT INTO a VALUES (1);"))

    assert guarded.guarded
    assert not open_.guarded


def test_data_and_opaque_steps_are_known(read: Read) -> None:
    ddl, data, opaque, harmless = read(
        "CREATE TABLE a ();\nINSERT INTO a VALUES (1);\nDO $$ BEGIN CREATE TABLE b (); END $$;\n"
        "DO $$ BEGIN NULL; END $$;",
    )

    assert [False, True, True, True] == [step.has_data for step in (ddl, data, opaque, harmless)]
    assert [False, False, True, False] == [step.opaque for step in (ddl, data, opaque, harmless)]


def test_comments_and_space_do_not_change_the_hash(read: Read) -> None:
    (one,) = read("CREATE TABLE a (id int, b text);")
    (same,) = read("-- the table\ncreate table a(\n  id integer, /* b */ b text)")

    assert one.hash == same.hash


def test_constants_change_the_hash(read: Read) -> None:
    (one,) = read("UPDATE a SET x = 1;")
    (other,) = read("UPDATE a SET x = 2;")

    assert one.hash != other.hash


def test_a_body_s_comments_change_the_hash_because_they_are_stored(read: Read) -> None:
    body = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 {}$$;"
    (one,) = read(body.format(""))
    (other,) = read(body.format("/* one */"))

    assert one.hash != other.hash


# --- files ---


def test_the_chain_is_called_as_the_folder_that_holds_its_migrations(tmp_path: Path) -> None:
    folder = write_chain(tmp_path / "shop" / "migrations", {"1_a.sql": "SELECT 1"})

    assert "shop" == read_chain(folder).name
    assert "crm" == read_chain(folder, name="crm").name


def test_a_byte_order_mark_is_no_sql(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_bytes(b"\xef\xbb\xbfCREATE TABLE a ();\n")

    assert ["1_a_table"] == ids(read_chain(tmp_path).steps)


def test_lines_may_end_as_windows_ends_them(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_bytes(
        b"-- step: made\r\nCREATE TABLE a ();\r\n-- phase: contract\r\nDROP TABLE b;\r\n"
    )

    steps = read_chain(tmp_path).steps

    assert ["1_made", "1_drop_b"] == ids(steps)
    assert "contract" == steps[1].phase


def test_a_file_that_is_not_utf_8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_bytes(b"SELECT 1;\nSELECT '\xff';\n")

    with pytest.raises(MigrationError, match=r"1_a\.sql:2: the file is not UTF-8"):
        read_chain(tmp_path)


def test_dbmate_s_way_down_is_not_run(tmp_path: Path) -> None:
    text = "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n"

    (step,) = read_chain(write_chain(tmp_path, {"20240101_a.sql": text})).steps

    assert ("20240101_a_table", 2) == (step.id, step.line)


def test_a_step_knows_its_lines_and_what_lint_is_to_let_pass(read: Read) -> None:
    text = (
        "-- lint: allow drop-table because it was never used\nDROP TABLE a;\n"
        "-- lint: allow several-locks because both are tiny\nBEGIN;\nALTER TABLE b ADD x int;\n"
        "-- lint: allow drop-column because nobody reads it\nALTER TABLE c DROP y;\nCOMMIT;"
    )

    single, block = read(text)

    assert (2,) == single.lines
    assert [(2, "drop-table")] == [(a.line, a.rule) for a in single.allowed]
    assert (5, 7) == block.lines
    assert [(0, "several-locks"), (7, "drop-column")] == [(a.line, a.rule) for a in block.allowed]
