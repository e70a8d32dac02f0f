"""Python migrations: the functions `step_NAME(conn)` of a file, in their order, are its steps.

To whatever reads SQL, such a step is a DO block with the function's text: it writes rows, may do DDL, and cannot be
looked into. Nothing here runs it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence

from trueup.chain.directives import Directives, read_directives
from trueup.chain.files import MigrationFile
from trueup.chain.model import Allowed, Phase, Step
from trueup.errors import MigrationError

PREFIX = "step_"
_SHAPE = "A step is a function `def step_NAME(conn):` on the file's top level; conn is a psycopg connection."

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_steps(file: MigrationFile, text: str, *, number: str) -> list[Step]:
    """The steps of a file, named behind `number`.

    Raises:
        MigrationError: it is not Python, or has no step.
    """
    try:
        body = ast.parse(text, file.path).body
    except SyntaxError as error:
        raise MigrationError(error.msg, path=file.path, line=error.lineno or 1, hint="The file is Python.") from None
    functions = [node for node in body if isinstance(node, _Function) and node.name.startswith(PREFIX)]
    if not functions:
        raise MigrationError("a Python migration without a step", path=file.path, line=1, hint=_SHAPE)
    around = [node for node in body if node not in functions]
    lines = text.replace("\r\n", "\n").split("\n")
    steps: list[Step] = []
    phase: Phase = "expand"
    for function in functions:
        _must_be_callable(function, file.path)
        found = _directives(function, lines, file.path)
        phase = found.phase or phase
        step = _step(file, function, found, number=number, source=_source(function, lines), around=around, phase=phase)
        if any(step.id == other.id for other in steps):
            raise MigrationError(f"two steps are called {step.id}", path=file.path, line=function.lineno)
        steps.append(step)
    return steps


def _must_be_callable(function: _Function, path: str) -> None:
    given = [*function.args.posonlyargs, *function.args.args]
    if isinstance(function, ast.AsyncFunctionDef) or len(given) - len(function.args.defaults) != 1:
        raise MigrationError(
            f"{function.name} takes more or less than a connection, or is async",
            path=path,
            line=function.lineno,
            hint=_SHAPE,
        )


def _directives(function: _Function, lines: Sequence[str], path: str) -> Directives:
    """Those in the comments above it, written as in SQL but for the `#`."""
    comments: list[str] = []
    for line in reversed(lines[: _first_line(function) - 1]):
        if line.strip() and not line.startswith("#"):
            break
        comments.insert(0, line.replace("#", "--", 1))
    found = read_directives("\n".join(comments), path=path, line=function.lineno)
    if found.backfill:
        raise MigrationError(
            "a Python step is no backfill",
            path=path,
            line=function.lineno,
            hint="It is one transaction. Write what has to go in batches in SQL.",
        )
    return found


def _first_line(function: _Function) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def _source(function: _Function, lines: Sequence[str]) -> str:
    return "\n".join(lines[_first_line(function) - 1 : function.end_lineno])


def _step(
    file: MigrationFile,
    function: _Function,
    found: Directives,
    *,
    number: str,
    source: str,
    around: Sequence[ast.stmt],
    phase: Phase,
) -> Step:
    quote = "$step$"
    while quote in source:
        quote = quote.replace("step", "step_", 1)
    return Step(
        id=f"{number}_{found.step or function.name.removeprefix(PREFIX)}",
        former=found.former,
        migration=file.name,
        number=file.short_number,
        path=file.path,
        line=function.lineno,
        statements=(f"DO LANGUAGE python {quote}\n{source}\n{quote}",),
        tags=("do_stmt",),
        lines=(function.lineno,),
        hash=_hash([*around, function]),
        done_when=found.done_when,
        phase=phase,
        undo=found.undo,
        allowed=tuple(Allowed(line=0, rule=rule, reason=reason) for rule, reason in found.allowed),
        python=function.name,
    )


def _hash(nodes: Sequence[ast.stmt]) -> str:
    """Over the function and what stands around the steps, which it may use; the same under every Python."""
    return hashlib.sha256(_printed(list(nodes)).encode()).hexdigest()[:16]


def _printed(value: object) -> str:
    """A syntax tree as text. Comments and white space are not in it; docstrings and what is not given are left out."""
    if isinstance(value, list):
        return f"[{', '.join(_printed(one) for one in value if not _is_docstring(one))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    given = [(name, one) for name, one in ast.iter_fields(value) if one is not None and one != [] and name != "kind"]
    return f"{type(value).__name__}({', '.join(f'{name}={_printed(one)}' for name, one in given)})"


def _is_docstring(node: object) -> bool:
    """A text that nobody uses."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
