"""Annotations of other tools inside a file."""

from __future__ import annotations

import pytest

from trueup.chain.sections import up_section, with_semicolons

pytestmark = pytest.mark.unit

MARKED = {
    "dbmate": ("-- migrate:up", "-- migrate:down"),
    "dbmate with options": ("-- migrate:up transaction:false", "-- migrate:down"),
    "goose": ("-- +goose Up", "-- +goose Down"),
    "goose in lower case": ("-- +goose up", "-- +goose down"),
    "sql-migrate": ("-- +migrate Up", "-- +migrate Down"),
    "sql-migrate with options": ("-- +migrate Up notransaction", "-- +migrate Down"),
}


@pytest.mark.parametrize("tool", MARKED)
def test_only_the_way_up_is_kept_on_its_own_lines(tool: str) -> None:
    up, down = MARKED[tool]

    lines = up_section(f"{up}\nCREATE TABLE a ();\n{down}\nDROP TABLE a;").splitlines()

    assert ["", "CREATE TABLE a ();", ""] == lines[:3]
    assert not any("DROP" in line for line in lines)


def test_goose_may_go_up_again_behind_the_way_down() -> None:
    kept = up_section("-- +goose Up\nA;\n-- +goose Down\nB;\n-- +goose Up\nC;")

    assert ["A;", "C;"] == kept.split()


def test_goose_s_statement_marks_stay_comments() -> None:
    text = "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd"

    assert "SELECT 1;" in up_section(text)


@pytest.mark.parametrize("text", ["CREATE TABLE a ();\n-- down below\n", "-- migrated from goose\nSELECT 1;\n"])
def test_a_text_without_marks_is_left_as_it_is(text: str) -> None:
    assert text == up_section(text)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("SELECT 1\n--> statement-breakpoint\nSELECT 2", "SELECT 1\n;--> statement-breakpoint\nSELECT 2"),
        ("SELECT 1--> statement-breakpoint\nSELECT 2;", "SELECT 1;--> statement-breakpoint\nSELECT 2;"),
        ("SELECT 1; -- one\n\n--;;\nSELECT 2;\n--;;", "SELECT 1; -- one\n\n--;;\nSELECT 2;\n--;;"),
        ("SELECT 1 -- one\n--;;\nSELECT 2", "SELECT 1 -- one\n;--;;\nSELECT 2"),
        ("-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd\nSELECT 2;", None),
        ("-- a statement: --;; is a mark\nSELECT 1;", "-- a statement: --;; is a mark\nSELECT 1;"),
    ],
)
def test_a_tool_s_mark_ends_a_statement(text: str, wanted: str | None) -> None:
    assert (wanted or text.replace("-- +goose StatementEnd", ";-- +goose StatementEnd")) == with_semicolons(text)
