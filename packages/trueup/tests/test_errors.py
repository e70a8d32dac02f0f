"""The tree of errors: codes, exit codes, and what `--json` shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trueup import errors
from trueup.decide.model import Conflict
from trueup.errors import ConflictError, ConnectionFailed, MigrationError, StepFailed, TrueupError

pytestmark = pytest.mark.unit

EXIT_CODES = {
    "UsageError": 2,
    "MigrationError": 2,
    "ScratchError": 2,
    "DecisionNeeded": 3,
    "ConflictError": 3,
    "UnknownDatabase": 3,
    "DatabaseIsNewer": 3,
    "SessionNeeded": 3,
    "StepFailed": 1,
    "NotProved": 1,
    "RunLockTaken": 4,
    "ConnectionFailed": 5,
    "SchemaNotTrue": 6,
    "LockFileError": 8,
    "TrueupError": 70,
}


def tree(root: type[TrueupError] = TrueupError) -> Iterator[type[TrueupError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_every_error_has_its_exit_code() -> None:
    assert EXIT_CODES == {error.__name__: error.exit_code for error in tree()}


def test_every_error_has_a_code_of_its_own_and_a_place_in_the_docstring() -> None:
    codes = [error.code for error in tree()]

    assert len(codes) == len(set(codes))
    assert errors.__doc__
    assert all(error.__name__ in errors.__doc__ for error in tree())


def test_failure_is_never_zero() -> None:
    assert all(error.exit_code > 0 for error in tree())


def test_an_error_shows_its_fields() -> None:
    failed = StepFailed("it failed", step="7_x", statement="SELECT 1/0", sqlstate="22012", hint="Mend it.")

    assert {
        "code": "step_failed",
        "message": "it failed",
        "hint": "Mend it.",
        "step": "7_x",
        "statement": "SELECT 1/0",
        "sqlstate": "22012",
    } == failed.to_json()
    assert "it failed" == str(failed)


def test_what_is_empty_is_left_out() -> None:
    assert {"code": "connection_failed", "message": "no", "url": "u"} == ConnectionFailed("no", url="u").to_json()


def test_lists_are_shown() -> None:
    conflicts = [Conflict(about=name, why="it differs", hint="Mend it.") for name in ("a", "b")]
    shown = ConflictError("two", conflicts=conflicts).to_json()["conflicts"]

    assert [{"about": n, "why": "it differs", "differences": [], "hint": "Mend it."} for n in ("a", "b")] == shown


def test_a_migration_s_error_begins_with_its_place() -> None:
    error = MigrationError("wrong", path="7_x.sql", line=3)

    assert "7_x.sql:3: wrong" == error.message
    assert isinstance(error, errors.UsageError)
