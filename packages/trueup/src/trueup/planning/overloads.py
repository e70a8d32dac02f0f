"""Functions that a step names without their arguments.

In the chain there is one of that name, and so it is clear. Here a later step may have made another one early; then the
statement is sent with the arguments of the one that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from trueup.catalog.keys import identity_of, kind_of, own_name
from trueup.chain.grammar import nodes_of, parse_each, string_list
from trueup.chain.model import Effect

_KINDS = ("function", "procedure", "aggregate")
_NAMED = re.compile(r"\b(FUNCTION|PROCEDURE|AGGREGATE|ROUTINE)\b", re.IGNORECASE)
_COMMENT = re.compile(r"^comment on (function|procedure|aggregate) ")


def with_arguments(text: str, effect: Effect, there: Collection[str]) -> str:
    """The statement, with the arguments of functions whose name alone would not be enough.

    Args:
        text: A statement of a step.
        effect: What it does in the chain.
        there: The keys of the functions that are there.
    """
    if not there or not _NAMED.search(text):
        return text
    for name in _named_alone(text):
        meant = {identity for identity in _touched(effect) if own_name(identity) == name}
        others = {identity for key in there if own_name(identity := identity_of(key)) == name} - meant
        if len(meant) == 1 and others:
            text = _spelt_out(text, name, meant.pop())
    return text


def functions_there(facts: Collection[str]) -> list[str]:
    """The keys that are of functions, procedures and aggregates."""
    return [key for key in facts if kind_of(key) in _KINDS]


def _named_alone(text: str) -> list[str]:
    return [
        string_list(function.objname)[-1]
        for statement in parse_each([text])
        for function in nodes_of(statement.node, "ObjectWithArgs")
        if function.args_unspecified
    ]


def _touched(effect: Effect) -> set[str]:
    """The functions that a statement takes away or comments on."""
    gone = {identity_of(key) for key in effect.gone if kind_of(key) in _KINDS}
    return gone or {_COMMENT.sub("", key) for key in effect.keys if _COMMENT.match(key)}


def _spelt_out(text: str, name: str, identity: str) -> str:
    written = rf'(?:[\w$]+\.|"[^"]+"\.)?(?:{re.escape(name)}|"{re.escape(name)}")'
    head = r"(\b(?:FUNCTION|PROCEDURE|AGGREGATE|ROUTINE)\s+(?:IF\s+EXISTS\s+)?)"
    named = re.compile(rf'{head}{written}(?![\w$"]|\s*[.(])', re.IGNORECASE)
    return named.sub(lambda match: match[1] + identity, text)
