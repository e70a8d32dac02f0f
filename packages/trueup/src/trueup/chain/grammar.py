"""PostgreSQL's own grammar, behind one door: nothing else in trueup imports the parser.

Source: libpg_query through `postgast`. Offsets of libpg_query are bytes, so everything here works on UTF-8 bytes. The
parser is imported when something is first parsed: a run whose lock file has all it needs does not pay for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from trueup.catalog.keys import in_quotes, quoted
from trueup.errors import MigrationError

GRAMMAR_VERSION = "17"  # major version of the grammar in libpg_query


@cache
def _parser() -> Any:
    import postgast

    return postgast


class Statement(NamedTuple):
    """One SQL statement of a file.

    `text` is as written, without the semicolon; `tag` the grammar's node, such as `create_stmt`; `node` its parse
    tree; `lead` the comments and space before it; `line` is 1-based.
    """

    text: str
    tag: str
    node: Any
    lead: str
    line: int

    @property
    def canonical(self) -> str:
        """The statement as the grammar prints it: comments and white space do not count."""
        try:
            return deparse(self.tag, self.node)
        except _parser().PgQueryError:  # a few rare nodes cannot be printed; then the text as written decides
            return " ".join(self.text.split())


def deparse(tag: str, node: Any) -> str:
    """Print one parse tree as SQL."""
    tree = _parser().ParseResult(version=170000)
    getattr(tree.stmts.add().stmt, tag).CopyFrom(node)
    return str(_parser().deparse(tree))


def expression(node: Any) -> str:
    """Print one expression as SQL."""
    tree = _parser().ParseResult(version=170000)
    tree.stmts.add().stmt.select_stmt.target_list.add().res_target.val.CopyFrom(node)
    return str(_parser().deparse(tree)).removeprefix("SELECT ")


def parse_each(texts: Iterable[str]) -> Iterator[Statement]:
    """The statements of several texts, such as those of a step. Not to be changed: each text is parsed once."""
    for text in texts:
        yield from _parsed_once(text)


@lru_cache(maxsize=8192)
def _parsed_once(text: str) -> tuple[Statement, ...]:
    return tuple(parse_statements(text))


def statement_text(node: Any) -> str:
    """Print one statement as SQL."""
    tree = _parser().ParseResult(version=170000)
    tree.stmts.add().stmt.CopyFrom(node)
    return str(_parser().deparse(tree))


def relation_text(item: Any) -> str:
    """Print one item of a FROM list as SQL."""
    tree = _parser().ParseResult(version=170000)
    tree.stmts.add().stmt.select_stmt.from_clause.add().CopyFrom(item)
    return str(_parser().deparse(tree)).removeprefix("SELECT FROM ").removeprefix("SELECT  FROM ")


def parse_statements(sql: str, *, path: str = "<sql>", first_line: int = 1) -> list[Statement]:
    """Split a text into statements.

    Raises:
        MigrationError: the text is not PostgreSQL's SQL; names `path` and line.
    """
    data = sql.encode()
    try:
        tree = _parser().parse(sql)
    except _parser().PgQueryError as error:
        offset = max(error.cursorpos - 1, 0)
        line = first_line + data[:offset].count(b"\n")
        raise MigrationError(
            error.message,
            path=path,
            line=line,
            hint=_syntax_hint(data, offset),
        ) from None
    statements = []
    end, line, counted = 0, first_line, 0
    for raw in tree.stmts:
        start = raw.stmt_location
        stop = start + raw.stmt_len if raw.stmt_len else len(data)
        line += data.count(b"\n", counted, start)
        counted = start
        tag = raw.stmt.WhichOneof("node")
        statements.append(
            Statement(
                text=data[start:stop].decode().strip(),
                tag=tag,
                node=getattr(raw.stmt, tag),
                lead=data[end:start].decode(),
                line=line,
            ),
        )
        end = stop + 1
    return statements


def trailing_comments(sql: str, statements: list[Statement]) -> str:
    """What stands after the last statement: comments only, but a directive may be among them."""
    if not statements:
        return sql
    return sql[sql.rindex(statements[-1].text) + len(statements[-1].text) :]


def _syntax_hint(data: bytes, offset: int) -> str:
    line = data[data.rfind(b"\n", 0, offset) + 1 :].split(b"\n", 1)[0].decode(errors="replace").strip()
    if line.startswith("\\"):
        return "psql's backslash commands are not SQL: move this line out of the migration."
    return f"Near: {line[:120]}" if line else ""


def walk(node: Any) -> Iterator[Any]:
    """Every message of a parse tree, depth first."""
    yield node
    for field, value in node.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for child in value if field.is_repeated else (value,):
            yield from walk(child)


def nodes_of(node: Any, kind: str) -> Iterator[Any]:
    """Every message of one type, by the grammar's name, such as `RangeVar`."""
    return (found for found in walk(node) if found.DESCRIPTOR.name == kind)


def string_list(items: Any) -> tuple[str, ...]:
    """A grammar list of strings, such as a qualified name."""
    return tuple(item.string.sval for item in items)


def enum_name(node: Any, field: str) -> str:
    """The grammar's name for the value of an enumerated field, such as `AT_AddColumn`."""
    return str(node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(node, field)].name)


def range_name(relation: Any) -> str:
    """The name of a RangeVar as people read it: `schema.name` or `name`."""
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else str(relation.relname)


def range_sql(relation: Any) -> str:
    """The same as SQL."""
    return ".".join(in_quotes(name) for name in (relation.schemaname, relation.relname) if name)


def range_identity(relation: Any) -> str:
    """The same as facts have it: a name without a schema is taken to be in `public`."""
    return f"{quoted(relation.schemaname or 'public')}.{quoted(relation.relname)}"
