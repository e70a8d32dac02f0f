"""Statements to ask questions about."""

from __future__ import annotations

from trueup.chain.grammar import Statement, parse_statements


def one(sql: str) -> Statement:
    """The one statement of a text."""
    (statement,) = parse_statements(sql)
    return statement
