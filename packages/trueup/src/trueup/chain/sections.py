"""Annotations of other tools inside a file: only the part that migrates forward is ours.

Understood: dbmate (`-- migrate:up`), goose (`-- +goose Up`), sql-migrate (`-- +migrate Up`) and their `Down`. Lines
that are not ours become empty, so that line numbers stay. What ends a statement for its tool ends it here, with or
without a semicolon: Drizzle's `--> statement-breakpoint`, Migratus' `--;;`, `-- +goose StatementEnd`.
"""

from __future__ import annotations

import re

_MARK = re.compile(
    r"^\s*--\s*(?:migrate:(?P<dbmate>up|down)\b|\+\s*(?:goose|migrate)\s+(?P<goose>up|down)\b)",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?P<code>(?:(?!--).)*)(?P<mark>--(?:>\s*statement-breakpoint|;;|\s*\+(?:goose|migrate)\s+StatementEnd\b).*)",
    re.IGNORECASE,
)


def with_semicolons(text: str) -> str:
    """The text with a semicolon before each mark that ends a statement, where there is none."""
    if "--;;" not in text and "statement" not in text.lower():
        return text
    lines, last = [], ";"
    for line in text.split("\n"):
        match = _END.match(line)
        is_open = match and (match["code"].rstrip() or last)[-1] != ";"
        lines.append(f"{match['code']};{match['mark']}" if match and is_open else line)
        last = (lines[-1].partition("--")[0].rstrip() or last)[-1]
    return "\n".join(lines)


def up_section(text: str) -> str:
    """The text with everything outside its `up` section blanked; the text itself where it has no such marks."""
    if "migrat" not in text and "goose" not in text:
        return text
    lines, wanted, marked = [], True, False
    for line in text.splitlines():
        if match := _MARK.match(line):
            direction = (match["dbmate"] or match["goose"]).lower()
            wanted, marked = direction == "up", True
            lines.append("")
        else:
            lines.append(line if wanted else "")
    return "\n".join(lines) if marked else text
