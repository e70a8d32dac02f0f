"""How a command ends: its exit code, and what is said where it failed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from trueup.cli.output import say, say_error
from trueup.errors import TrueupError


def ended(work: Callable[[], int], *, as_json: bool) -> NoReturn:
    """Do the work of a command; exits with what it returns, or with the code that `docs/commands.md` lists."""
    try:
        sys.exit(work())
    except TrueupError as error:
        print_error(error.to_json(), error.exit_code, as_json=as_json)
        say_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print_error({"code": "interrupted", "message": "interrupted"}, 130, as_json=as_json)
        say("interrupted: the step that was running is undone, everything before it is kept")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # a fault of ours: say so, and keep the traceback for the report
        if os.environ.get("TRUEUP_TRACEBACK"):
            raise
        print_error({"code": "error", "message": f"{type(error).__name__}: {error}"}, 70, as_json=as_json)
        say(f"error: a fault of trueup's own: {type(error).__name__}: {error}")
        say("\nhint: Run it again with TRUEUP_TRACEBACK=1 and report what it prints.")
        sys.exit(70)


def print_json(document: dict[str, object]) -> None:
    """The one document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_error(fields: dict[str, object], exit_code: int, *, as_json: bool) -> None:
    """The same for an error, where that was asked for."""
    if as_json:
        print_json({"error": {**fields, "exit_code": exit_code}})
