"""Directives: comments that say what SQL cannot."""

from __future__ import annotations

import pytest

from trueup.chain.directives import Directives, read_directives
from trueup.chain.model import Batches
from trueup.errors import MigrationError

pytestmark = pytest.mark.unit


def read(*lines: str) -> Directives:
    return read_directives("\n".join(lines) + "\n", path="7_x.sql", line=12)


def test_a_name_with_its_former_ids() -> None:
    found = read("-- step: call_runs (was 40a, 40b)")

    assert "call_runs" == found.step
    assert ("40a", "40b") == found.former


@pytest.mark.parametrize(
    "line",
    [
        "-- step: first we make the table",
        "-- phase: two of the great renaming",
        "-- backfill: see the wiki",
        "-- done when: everybody has gone home",
        "-- lint: squawk is happy with this",
    ],
)
def test_prose_that_begins_like_a_directive_is_none(line: str) -> None:
    assert Directives() == read(line)


def test_every_directive_is_read() -> None:
    found = read(
        "-- step: fill",
        "-- done when: SELECT true;",
        "-- backfill: public.appointments by id batch 5000",
        "-- phase: contract",
        "-- undo: DELETE FROM a",
        "-- as written",
        "-- lint: allow drop-column, drop-table because nothing",
        "--    has read them since May",
    )

    assert "SELECT true" == found.done_when
    assert Batches(table="public.appointments", columns=("id",), size=5000) == found.backfill
    assert "contract" == found.phase
    assert "DELETE FROM a" == found.undo
    assert found.as_written
    why = "nothing has read them since May"
    assert [("drop-column", why), ("drop-table", why)] == found.allowed
    assert not found.atomic


@pytest.mark.parametrize(
    "line, means",
    [
        ("-- backfill", Batches()),
        ("-- backfill:", Batches()),
        ("-- backfill: leads", Batches(table="leads")),
        ("-- backfill: batch 500", Batches(size=500)),
        ("-- backfill: by tenant_id, Id", Batches(columns=("tenant_id", "id"))),
        (
            '-- backfill: shop."Old Leads" by "a""b" , c batch 7',
            Batches(table='shop."Old Leads"', columns=('a"b', "c"), size=7),
        ),
    ],
)
def test_each_part_of_a_backfill_may_be_left_out(line: str, means: Batches) -> None:
    assert means == read(line).backfill


def test_blocks_are_opened_and_closed() -> None:
    assert read("-- atomic").atomic
    assert read("-- end atomic").end_atomic


def test_space_does_not_count() -> None:
    found = read("--done when:  SELECT 1  ;", "  --  as written")

    assert "SELECT 1" == found.done_when
    assert found.as_written


def test_a_value_goes_on_in_indented_lines() -> None:
    found = read("-- done when: SELECT NOT EXISTS (", "--   SELECT FROM a", "--   WHERE b IS NULL)", "-- as before")

    assert "SELECT NOT EXISTS ( SELECT FROM a WHERE b IS NULL)" == found.done_when


def test_an_ordinary_comment_ends_a_value() -> None:
    assert "SELECT 1" == read("-- done when: SELECT 1", "-- why it is so", "--   and more of why").done_when


def test_comments_without_directives_say_nothing() -> None:
    assert Directives() == read("-- The phone of a lead.", "/* step: no */", "")


@pytest.mark.parametrize(
    "line, says",
    [
        ("-- phase: contrct", "phase is expand or contract, not 'contrct'"),
        ("-- backfill: leads by id batch many", "a backfill reads `TABLE by COLUMN batch N`"),
        ("-- backfill: batch 0", "a backfill reads `TABLE by COLUMN batch N`"),
        ("-- done when:", "`done when:` needs SQL behind it"),
        ("-- undo:", "`undo:` needs SQL behind it"),
    ],
)
def test_a_value_without_meaning_is_an_error_with_its_place(line: str, says: str) -> None:
    with pytest.raises(MigrationError) as caught:
        read(line)

    assert f"7_x.sql:12: {says}" in caught.value.message
    assert "7_x.sql" == caught.value.path
    assert 12 == caught.value.line


@pytest.mark.parametrize("value", ["allow drop-column", "allow because I say so", "allow drop-column because"])
def test_what_lint_is_to_let_pass_needs_a_rule_and_a_reason(value: str) -> None:
    with pytest.raises(MigrationError, match="allow RULE because REASON"):
        read(f"-- lint: {value}")
