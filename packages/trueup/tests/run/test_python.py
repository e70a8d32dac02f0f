"""Python migrations on a real server: learnt, run once, undone as a whole, and run again after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

import trueup
from trueup.chain.lockfile import load_locked
from trueup.chain.steps import read_chain
from trueup.errors import ScratchError, StepFailed
from trueup_testing.chains import MakeChain, write_chain
from trueup_testing.command import Run
from trueup_testing.databases import rows, value

pytestmark = pytest.mark.pg

TABLE = {"001_leads.sql": "CREATE TABLE leads (id int PRIMARY KEY, phone text);"}
ROW = {"001_leads.sql": f"{TABLE['001_leads.sql']} INSERT INTO leads VALUES (1);"}
FILL = """
from dataclasses import dataclass
from psycopg.rows import dict_row


@dataclass
class Lead:
    id: "int"
    phone: "str"


def step_rows(conn):
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO leads VALUES (%s, %s)", [(1, "05-1"), (2, "05-2")])


def step_phones(conn):
    conn.row_factory = dict_row
    with conn.transaction():
        conn.execute("ALTER TABLE leads ADD COLUMN digits text NOT NULL DEFAULT ''")
    for row in conn.execute("SELECT id, phone FROM leads"):
        lead = Lead(**row)
        conn.execute("UPDATE leads SET digits = %s WHERE id = %s", (lead.phone.replace("-", ""), lead.id))
"""


def python(*body: str) -> str:
    """A step `work` that does this where the environment says so: its first line is the sixth."""
    lines = ["import os, pathlib", "", "def step_work(conn):", "    conn.execute('DELETE FROM leads')"]
    lines += ["    if 'WORK' not in os.environ: return", *(f"    {line}" for line in body)]
    return "\n".join(lines) + "\n"


def test_it_is_learnt_and_run_with_its_mark(chain: MakeChain, database: str) -> None:
    folder = chain({**TABLE, "002_fill.py": FILL})
    locked = load_locked(read_chain(folder))

    report = trueup.up(database, folder)

    assert locked.effects[2].set["column public.leads.digits"] == "text"
    assert {"public.leads": "AE"} == locked.effects[2].locks
    assert report.true
    assert [(1, "05-1", "051"), (2, "05-2", "052")] == rows(database, "SELECT * FROM leads ORDER BY 1")
    assert [("1_leads_table",), ("2_rows",), ("2_phones",)] == rows(
        database, "SELECT migration_id FROM trueup.schema_migrations ORDER BY position"
    )
    assert [] == trueup.up(database, folder).sent


def test_what_is_locked_is_not_learnt_again_and_is_checked(run: Run, chain: MakeChain) -> None:
    folder = chain({**TABLE, "002_fill.py": FILL})
    write_chain(folder, {"003_more.sql": "ALTER TABLE leads ADD COLUMN more int;"})

    more = run("--migrations", folder, "lock", "--json")
    fits = run("--migrations", folder, "lock", "--check")
    write_chain(folder, {"002_fill.py": FILL.replace("05-1", "05-9")})
    changed = run("--migrations", folder, "lock", "--check")

    assert (1, 4) == (more.json["learnt"], more.json["steps"])
    assert (0, 6) == (fits.code, changed.code)
    assert "2_rows" in changed.err


@pytest.mark.parametrize(
    "body, said, line",
    [
        (["raise ValueError('no plan')"], "ValueError: no plan", 6),
        (["raise SystemExit"], "SystemExit", 6),
        (["conn.execute('SELECT nothing')"], 'column "nothing" does not exist', 6),
        (["try: conn.execute('SELECT nothing')", "except Exception: pass"], "it went on after an error", 3),
        (["conn.commit()"], "Explicit commit", 6),
    ],
)
def test_what_fails_is_undone_and_named_by_file_line_and_function(
    chain: MakeChain, database: str, monkeypatch: pytest.MonkeyPatch, body: list[str], said: str, line: int
) -> None:
    folder = chain({**ROW, "002_work.py": python(*body)})
    monkeypatch.setenv("WORK", "on")

    with pytest.raises(StepFailed, match=said) as failed:
        trueup.up(database, folder)

    assert f"2_work (002_work.py:{line}, in step_work) failed" in failed.value.message
    assert 1 == value(database, "SELECT count(*) FROM leads")
    assert 0 == value(database, "SELECT count(*) FROM trueup.schema_migrations WHERE migration_id = '2_work'")

    monkeypatch.delenv("WORK")
    assert trueup.up(database, folder).true
    assert 0 == value(database, "SELECT count(*) FROM leads")


def test_a_transaction_that_it_ends_itself_is_told(
    chain: MakeChain, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = chain({**ROW, "002_work.py": python("conn.execute('COMMIT')")})
    monkeypatch.setenv("WORK", "on")

    with pytest.raises(StepFailed, match="it ended the transaction that it runs in"):
        trueup.up(database, folder)


def test_what_does_not_run_on_scratch_says_where(chain: MakeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORK", "on")

    with pytest.raises(ScratchError, match="ZeroDivisionError") as refused:
        chain({**TABLE, "002_work.py": python("1 / conn.execute('SELECT count(*) FROM leads').fetchone()[0]")})

    assert "002_work.py:6, in step_work" in refused.value.hint


def test_a_connection_that_is_lost_in_it_is_mended_and_it_runs_again(
    chain: MakeChain, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = tmp_path / "crash"
    crash.touch()
    body = (
        "conn.execute('INSERT INTO leads VALUES (7)')",
        "crash = pathlib.Path(os.environ['WORK'])",
        "if crash.exists():",
        "    crash.unlink()",
        "    conn.execute('SELECT pg_terminate_backend(pg_backend_pid())')",
    )
    folder = chain({**ROW, "002_work.py": python(*body)})
    monkeypatch.setenv("WORK", str(crash))

    report = trueup.up(database, folder)

    assert report.true
    assert not crash.exists()
    assert [(7,)] == rows(database, "SELECT id FROM leads")


def test_lint_says_which_locks_it_took(run: Run, chain: MakeChain) -> None:
    folder = chain({**TABLE, "002_fill.py": FILL})

    (finding,) = run("--migrations", folder, "--json", "lint", folder / "002_fill.py").json["findings"]

    assert ("opaque-block", "2_phones") == (finding["rule"], finding["step"])
    assert {"public.leads": "ACCESS EXCLUSIVE"} == finding["locks"]
