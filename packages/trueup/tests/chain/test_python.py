"""Python migrations: which functions are steps, what holds for them, what their hash depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.chain.grammar import parse_statements
from trueup.chain.model import Allowed, Step
from trueup.chain.steps import read_chain
from trueup.errors import MigrationError
from trueup_testing.chains import Files, write_chain

pytestmark = pytest.mark.unit

FILE = '''\
"""What SQL cannot say."""

import re

LETTERS = re.compile("[a-z]+")


def helper(text):
    return LETTERS.sub("", text)


# step: phones (was 7_numbers)
# done when: SELECT count(*) = 0
#            FROM leads
def step_fill(conn):
    """Digits only."""
    conn.execute("UPDATE leads SET phone = 'x'")  # all of them


# phase: contract
# lint: allow opaque-block because it is small
def step_drop(conn, table="old"):
    conn.execute(f"DROP TABLE {table}")
'''


def steps(folder: Path, text: str, **more: str) -> tuple[Step, ...]:
    files: Files = {"007_phones.py": text, **more}
    return read_chain(write_chain(folder / "migrations", files)).steps


def test_each_function_is_a_step_in_the_order_of_the_file(tmp_path: Path) -> None:
    fill, drop = steps(tmp_path, FILE)

    assert ("7_phones", "7_drop") == (fill.id, drop.id)
    assert ("step_fill", "step_drop") == (fill.python, drop.python)
    assert ("7_numbers",) == fill.former
    assert "SELECT count(*) = 0 FROM leads" == fill.done_when
    assert ("expand", "contract") == (fill.phase, drop.phase)
    assert (Allowed(line=0, rule="opaque-block", reason="it is small"),) == drop.allowed
    assert (15, 22) == (fill.line, drop.line)
    assert (False, True) == (fill.opaque, drop.opaque)


def test_to_what_reads_sql_it_is_a_block(tmp_path: Path) -> None:
    (step,) = steps(tmp_path, "def step_a(conn):\n    conn.execute('SELECT $step$a$step$')\n")

    (statement,) = parse_statements(step.statements[0])

    assert step.tags == (statement.tag,) == ("do_stmt",)
    assert step.has_data
    assert not step.guarded


@pytest.mark.parametrize(
    "old, new, changed",
    [
        ("  # all of them", "", set()),
        ('    """Digits only."""\n', "", set()),
        ("\n\n\n", "\n\n\n\n# a remark\n\n", set()),
        ('conn.execute("UPDATE', 'conn.execute(\n        "UPDATE', set()),
        ('"""What SQL cannot say."""', "'''More.'''", set()),
        ("phone = 'x'", "phone = 'y'", {"7_phones"}),
        ("DROP TABLE {table}", "DROP TABLE {table} CASCADE", {"7_drop"}),
        ("[a-z]+", "[a-z]", {"7_phones", "7_drop"}),  # a step may use what stands around it
    ],
)
def test_its_hash_is_over_what_it_does(tmp_path: Path, old: str, new: str, changed: set[str]) -> None:
    assert old in FILE
    before = {step.id: step.hash for step in steps(tmp_path / "a", FILE)}
    after = {step.id: step.hash for step in steps(tmp_path / "b", FILE.replace(old, new, 1))}

    assert changed == {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    "text, line, said",
    [
        ("def upgrade():\n    pass\n", 1, "without a step"),
        ("def step_a(conn):\n    return (\n", 2, "was never closed"),
        ("x = 1\n\ndef step_a():\n    pass\n", 3, "connection"),
        ("async def step_a(conn):\n    pass\n", 1, "connection"),
        ("# backfill\ndef step_a(conn):\n    pass\n", 2, "backfill"),
        ("def step_a(conn):\n    pass\ndef step_a(conn):\n    pass\n", 3, "two steps are called 7_a"),
    ],
)
def test_what_is_no_migration_is_refused_by_file_and_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(MigrationError, match=said) as caught:
        steps(tmp_path, text)

    assert ("007_phones.py", line) == (caught.value.path, caught.value.line)


def test_other_python_files_are_no_migrations(tmp_path: Path) -> None:
    others = {"__init__.py": "", "conftest.py": "x", "ae1027a6acf_users.py": "def upgrade(): ...", "env.py": "x"}

    (step,) = steps(tmp_path, "def step_a(conn): ...\n", **others)

    assert step.id == "7_a"
