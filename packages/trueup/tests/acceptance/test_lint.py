"""`trueup lint` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Answer, Run

pytestmark = pytest.mark.acceptance

LEADS = {"001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, name varchar(20));"}
CHANGES = {
    "002_changes.sql": "CREATE INDEX leads_name ON leads (name);\nALTER TABLE leads ALTER name TYPE text;\n",
    "003_gone.sql": "ALTER TABLE leads\n    DROP COLUMN name;\n",
}


def found(answer: Answer) -> list[tuple[str, str, int]]:
    return [(one["rule"], one["level"], one["line"]) for one in answer.json["findings"]]


def test_with_a_database_only_what_it_lacks_is_told(run: Run, chain: MakeChain, database: str) -> None:
    folder = chain(LEADS)
    assert 0 == run("--migrations", folder, "--database-url", database, "up").code
    chain(LEADS | CHANGES)

    answer = run("--migrations", folder, "--database-url", database, "lint", "--json")

    assert 6 == answer.code
    assert [("create-index", "note", 1), ("free-type-change", "note", 2), ("drop-column", "warning", 1)] == found(
        answer
    )
    assert {"public.leads": "SHARE"} == answer.json["findings"][0]["locks"]
    (sent,) = answer.json["findings"][0]["sends"]
    assert sent.startswith("CREATE INDEX CONCURRENTLY leads_name ON public.leads")
    assert (1, 2) == (answer.json["warnings"], answer.json["notes"])


def test_an_empty_database_has_no_users(run: Run, chain: MakeChain, database: str) -> None:
    answer = run("--migrations", chain(LEADS | CHANGES), "--database-url", database, "lint", "--json")

    assert ["drop-column"] == [rule for rule, _, _ in found(answer)]


def test_files_of_the_chain_with_what_the_lock_file_knows_of_the_steps_before_them(run: Run, chain: MakeChain) -> None:
    folder = chain(LEADS)
    (folder / "002_changes.sql").write_text(CHANGES["002_changes.sql"])  # not locked yet

    answer = run("lint", "--json", folder / "002_changes.sql")  # the lock file beside it says which chain it is of

    assert 0 == answer.code
    assert [("create-index", "note", 1), ("free-type-change", "note", 2)] == found(answer)


def test_files_without_a_chain_as_a_hook_gives_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("ALTER TABLE t ALTER name TYPE text;")
    (tmp_path / "b.sql").write_text("-- lint: allow drop-table because it was never used\nDROP TABLE t;")

    answer = run("lint", "--format", "github", "a.sql", "b.sql", cwd=tmp_path)

    assert 6 == answer.code
    (line,) = answer.out.splitlines()
    assert line.startswith("::warning file=a.sql,line=1,title=column-type (trueup)::t.name becomes text, from what")
    assert "2 files: 1 warning\n" == answer.err


@pytest.mark.parametrize(
    "first, rules",
    [
        ("DROP TABLE leads;", ["drop-table", "create-index"]),
        ("ALTER TABLE leads RENAME TO people;", ["rename-table", "create-index"]),
        ("ALTER TABLE calls RENAME TO rings;", ["rename-table", "create-index"]),
    ],
)
def test_a_file_is_judged_as_its_tables_are_called_meanwhile(
    run: Run, chain: MakeChain, first: str, rules: list[str]
) -> None:
    calls = "rings" if "rings" in first else "calls"
    index = f"{first}\nCREATE INDEX calls_lead ON {calls} (lead_id);"
    folder = chain(LEADS | {"002_calls.sql": "CREATE TABLE calls (id int PRIMARY KEY, lead_id int);", "003.sql": index})

    answer = run("--migrations", folder, "lint", "--all", "--json")

    assert rules == [rule for rule, _, _ in found(answer)], answer.err
