"""Directives: comments before a statement that say what SQL cannot.

::

    -- step: default_calendars            name of the next step
    -- step: call_runs (was 40a, 40b)     marks under an old id count as this step's
    -- done when: SELECT ...              a query that is true when the next step's work is there
    -- atomic / -- end atomic             these statements are one step
    -- backfill                           run the next UPDATE, DELETE or INSERT … SELECT in batches, resumable
    -- backfill: appointments by id batch 5000
    -- phase: contract                    from here to the end of the file: only after the new code is out
    -- undo: DELETE ...
    -- as written                         do not rewrite the next statement into its safe form
    -- lint: allow RULE because REASON    `trueup lint` says nothing of this rule about the next statement

Comments of foreign chains may begin alike. What cannot be meant as a directive is prose and left alone; what is nearly
one is an error, so that a slip of the pen is not lost. Directives are lower case.

A directive's value goes on in the comment lines below it that are indented by three spaces or more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches

from trueup.chain.model import Batches, Phase
from trueup.errors import MigrationError

_DIRECTIVE = re.compile(
    r"^\s*--[ \t]*(?P<word>step|done when|backfill|phase|undo|lint)[ \t]*:[ \t]*(?P<value>.*?)\s*$"
    r"|^\s*--[ \t]*(?P<bare>atomic|end atomic|as written|backfill)\s*$",
)
_CONTINUED = re.compile(r"^\s*--\s{3,}(?P<more>\S.*?)\s*$")
_STEP = re.compile(r"^(?P<name>\w+)(?:\s*\(was\s+(?P<former>[\w,\s]+)\))?$")
_QUERY = re.compile(r"^(select|with|values|table)\b", re.IGNORECASE)
_ALLOW = re.compile(r"^allow\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)\s+because\s+(?P<reason>\S.*)$")
_NAME = r'(?:\w+|"(?:[^"]|"")+")'
_BACKFILL = re.compile(
    rf"^(?P<table>(?!(?:by|batch)\b){_NAME}(?:\.{_NAME})?)?"
    rf"(?:(?:^|\s+)by\s+(?P<columns>{_NAME}(?:\s*,\s*{_NAME})*))?"
    r"(?:(?:^|\s+)batch\s+(?P<size>[1-9]\d*))?$",
)
_PHASES: dict[str, Phase] = {"expand": "expand", "contract": "contract"}


@dataclass(slots=True)
class Directives:
    """The directives of one statement, as found in the comments before it."""

    step: str = ""
    former: tuple[str, ...] = ()
    done_when: str = ""
    backfill: Batches | None = None
    phase: Phase | None = None
    undo: str = ""
    atomic: bool = False
    end_atomic: bool = False
    as_written: bool = False
    allowed: list[tuple[str, str]] = field(default_factory=list)


def read_directives(comments: str, *, path: str, line: int) -> Directives:
    """Read the comments between two statements; `line` is that of the statement they stand before.

    Raises:
        MigrationError: a directive's value has no meaning.
    """
    found = Directives()
    if "--" not in comments:
        return found
    pairs: list[tuple[str, str]] = []
    continuing = False
    for text in comments.splitlines():
        if match := _DIRECTIVE.match(text):
            pairs.append(((match["word"] or match["bare"]).lower(), match["value"] or ""))
            continuing = bool(match["word"])
        elif continuing and (more := _CONTINUED.match(text)):
            word, value = pairs[-1]
            pairs[-1] = (word, f"{value} {more['more']}".strip())
        else:
            continuing = False
    for word, value in pairs:
        _apply(found, word, value, path=path, line=line)
    return found


def _apply(found: Directives, word: str, value: str, *, path: str, line: int) -> None:
    if word == "step":
        if match := _STEP.match(value):  # prose such as "-- step: first we ..." is no directive
            found.step = match["name"]
            found.former = tuple(re.split(r"[\s,]+", match["former"].strip())) if match["former"] else ()
    elif word == "phase":
        found.phase = _phase(value, path=path, line=line) or found.phase
    elif word == "lint":
        found.allowed += _allowed(value, path=path, line=line)
    elif word == "backfill":
        found.backfill = _backfill(value, path=path, line=line)  # without a value everything is found out
    elif word == "done when" and value and not _QUERY.match(value):
        return
    elif word in ("done when", "undo"):
        if not value:
            raise MigrationError(f"`{word}:` needs SQL behind it", path=path, line=line)
        setattr(found, word.replace(" ", "_"), value.rstrip("; "))
    else:
        setattr(found, word.replace(" ", "_"), True)


def _phase(value: str, *, path: str, line: int) -> Phase | None:
    """None where it is prose."""
    if found := _PHASES.get(value):
        return found
    if get_close_matches(value, _PHASES):
        raise MigrationError(f"phase is expand or contract, not {value!r}", path=path, line=line)
    return None


def _allowed(value: str, *, path: str, line: int) -> list[tuple[str, str]]:
    """(rule, reason) of each rule that is allowed here."""
    if match := _ALLOW.match(value):
        return [(rule, match["reason"]) for rule in re.split(r"\s*,\s*", match["rules"])]
    if not value.startswith("allow"):
        return []
    raise MigrationError(
        f"`lint:` reads `allow RULE because REASON`, not {value!r}",
        path=path,
        line=line,
        hint="For example: -- lint: allow drop-column because nothing has read it since May",
    )


def _backfill(value: str, *, path: str, line: int) -> Batches | None:
    if match := _BACKFILL.match(value):
        return Batches(
            table=match["table"] or "",
            columns=tuple(_unquoted(name) for name in re.findall(_NAME, match["columns"] or "")),
            size=int(match["size"] or 0),
        )
    if " batch " not in f" {value}":
        return None
    raise MigrationError(
        f"a backfill reads `TABLE by COLUMN batch N`, each of the three may be left out, not {value!r}",
        path=path,
        line=line,
        hint="For example: -- backfill: appointments by id batch 5000",
    )


def _unquoted(name: str) -> str:
    """An identifier as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
