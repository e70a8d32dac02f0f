"""Annotations of other tools inside a file: only the part that migrates forward is ours.

Understood: dbmate (`-- migrate:up`), goose (`-- +goose Up`), sql-migrate (`-- +migrate Up`) and their `Down`. Lines
that are not ours become empty, so that line numbers stay.
"""

from __future__ import annotations

import re

_MARK = re.compile(
    r"^\s*--\s*(?:migrate:(?P<dbmate>up|down)\b|\+\s*(?:goose|migrate)\s+(?P<goose>up|down)\b)",
    re.IGNORECASE,
)


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
