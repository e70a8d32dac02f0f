"""Carry out a step that is a Python function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from trueup.chain.model import Step


class StepRaised(Exception):
    """The function of a Python step has failed by itself, not at the server."""


def carry_out(conn: Connection[Any], folder: str, step: Step) -> None:
    """Call the step's function in the transaction that is open on the connection.

    Raises:
        StepRaised: it raised something, or left the transaction in no state to be committed.
        psycopg.Error: the server refused something.
    """
    rows = conn.row_factory
    try:
        _function(folder, step)(conn)
    except psycopg.Error:
        raise
    except (Exception, SystemExit) as error:
        raise StepRaised(f"{type(error).__name__}: {error}") from error
    finally:
        conn.row_factory = rows
    match conn.info.transaction_status:
        case TransactionStatus.INERROR:
            raise StepRaised("it went on after an error of the server, which has ended its transaction")
        case TransactionStatus.IDLE:
            raise StepRaised("it ended the transaction that it runs in; what it did before that is kept")


def place_of(step: Step, error: BaseException) -> str:
    """`file:line` of a step; of a Python step the line that failed, and its function."""
    if not step.python:
        return f"{step.path}:{step.line}"
    cause = error.__cause__ if isinstance(error, StepRaised) and error.__cause__ else error
    lines = [frame.lineno for frame in extract_tb(cause.__traceback__) if frame.filename.endswith(step.path)]
    return f"{step.path}:{(lines and lines[-1]) or step.line}, in {step.python}"


def _function(folder: str, step: Step) -> Callable[[Connection[Any]], object]:
    """The function, of a module that is made anew: steps share nothing but the database."""
    path = Path(folder, step.path)
    module = ModuleType(f"trueup_migration_{step.migration}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses, for one, look for it
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - a migration is code to be run
    function: Callable[[Connection[Any]], object] = getattr(module, step.python)
    return function
