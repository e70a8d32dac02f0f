"""Which statement of a step defines a function, a trigger or a view.

Of a function's text the facts have only a hash. Some conditions the server shows in another way once they have been
read back from what it showed.
"""

from __future__ import annotations

import re

from trueup.catalog.keys import own_name, parts, unquoted
from trueup.chain.grammar import nodes_of, parse_statements, string_list
from trueup.chain.model import Step

_CREATE = re.compile(r"^\s*CREATE\s+(OR\s+REPLACE\s+)?", re.IGNORECASE)


def defining_statement(step: Step, identity: str) -> str:
    """The last statement of the step that defines the function, as CREATE OR REPLACE; empty where none does."""
    name = own_name(identity)
    for text, tag in reversed(list(zip(step.statements, step.tags, strict=True))):
        if tag not in ("create_function_stmt", "define_stmt") or name not in text:
            continue
        (statement,) = parse_statements(text)
        names = statement.node.funcname if tag == "create_function_stmt" else statement.node.defnames
        if string_list(names)[-1] == name:
            return _CREATE.sub("CREATE OR REPLACE ", text, count=1)
    return ""


def view_statement(step: Step, identity: str) -> str:
    """The last statement of the step that makes the view, as CREATE OR REPLACE, unless a star in it has to be read."""
    name = own_name(identity)
    for text, tag in reversed(list(zip(step.statements, step.tags, strict=True))):
        if tag == "view_stmt" and name in text:
            (statement,) = parse_statements(text)
            if statement.node.view.relname == name and not any(nodes_of(statement.node, "A_Star")):
                return _CREATE.sub("CREATE OR REPLACE ", text, count=1)
    return ""


def trigger_statement(step: Step, identity: str) -> str:
    """The last statement of the step that makes the trigger; empty where none does."""
    _, table, name = (unquoted(part) for part in parts(identity))
    for text, tag in reversed(list(zip(step.statements, step.tags, strict=True))):
        if tag == "create_trig_stmt" and name in text:
            (statement,) = parse_statements(text)
            if (statement.node.relation.relname, statement.node.trigname) == (table, name):
                return text
    return ""
