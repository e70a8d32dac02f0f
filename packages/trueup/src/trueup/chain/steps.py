"""Build a chain's steps from its files: what each is called, and what holds for it."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from trueup.chain import statements as ask
from trueup.chain.blocks import Block, blocks_of
from trueup.chain.files import MigrationFile, digest, read_files
from trueup.chain.grammar import Statement, parse_statements, trailing_comments
from trueup.chain.model import Chain, Step
from trueup.chain.naming import derived_name
from trueup.chain.psql import as_sql
from trueup.chain.sections import up_section, with_semicolons
from trueup.errors import MigrationError


def read_chain(
    folder: Path | str,
    *,
    name: str = "",
    files: list[MigrationFile] | None = None,
) -> Chain:
    """Read every migration of a folder.

    `name` defaults to the folder's parent's name; `files` are the folder's, where they are read already.

    Raises:
        UsageError: there are no migrations.
        MigrationError: something is not SQL; names file and line.
    """
    folder = Path(folder)
    files = read_files(folder) if files is None else files
    numbers = [file.short_number for file in files]
    times_used = Counter(numbers)
    steps: list[Step] = []
    taken: set[str] = set()
    for file, number in zip(files, numbers, strict=True):
        prefix = number if times_used[number] == 1 else file.name
        steps.extend(_file_steps(file, number=prefix, taken=taken))
    return Chain(name=name or default_name(folder), folder=str(folder), digest=digest(files), steps=tuple(steps))


def default_name(folder: Path) -> str:
    """A chain without a configured name is called as the folder that holds its migrations."""
    return folder.resolve().parent.name or "chain"


def _file_steps(file: MigrationFile, *, number: str, taken: set[str]) -> list[Step]:
    try:
        text = file.text
    except UnicodeDecodeError as error:
        line = file.data[: error.start].count(b"\n") + 1
        raise MigrationError("the file is not UTF-8", path=file.path, line=line, hint="Save it as UTF-8.") from None
    if file.path.endswith(".py"):
        from trueup.chain.python import python_steps

        return python_steps(file, text, number=number)
    text = as_sql(with_semicolons(up_section(text)), path=file.path)
    parsed = parse_statements(text, path=file.path)
    blocks = blocks_of(parsed, trailing_comments(text, parsed), file.path)
    return [_step(block, file, number=number, taken=taken) for block in blocks]


def _step(
    block: Block,
    file: MigrationFile,
    *,
    number: str,
    taken: set[str],
) -> Step:
    found, first = block.directives, block.statements[0]
    name = found.step or derived_name(next((s for s in block.statements if not _is_context(s)), first))
    step_id = f"{number}_{name}"
    if found.step and step_id in taken:
        raise MigrationError(f"two steps are called {name}", path=file.path, line=first.line)
    times = 1
    while step_id in taken:
        times += 1
        step_id = f"{number}_{name}_{times}"
    taken.add(step_id)
    several = len(block.statements) > 1
    texts = tuple(_inside_transaction(s) if several else s.text for s in block.statements)
    data = [s for s in block.statements if not _is_context(s)]
    return Step(
        id=step_id,
        former=found.former,  # whole marks as old ledgers have them, such as `40a`
        migration=file.name,
        number=file.short_number,
        path=file.path,
        line=first.line,
        statements=texts,
        tags=tuple(s.tag for s in block.statements),
        lines=tuple(s.line for s in block.statements),
        context=block.context,
        hash=_hash(block),
        guarded=all(ask.is_guarded(s) for s in data),
        no_transaction=not several and ask.refuses_transactions(first),
        repeatable=file.repeatable,
        done_when=found.done_when,
        backfill=found.backfill,
        phase=block.phase,
        undo=found.undo,
        as_written=found.as_written,
        allowed=tuple(block.allowed),
    )


def _inside_transaction(statement: Statement) -> str:
    if ask.is_session_setting(statement):
        return ask.as_local_setting(statement) or statement.text
    return ask.without_concurrently(statement)


def _is_context(statement: Statement) -> bool:
    return statement.tag in ("variable_set_stmt", "lock_stmt") or ask.is_session_setting(statement)


def _hash(block: Block) -> str:
    total = hashlib.sha256("\0".join(block.context).encode())
    for statement in block.statements:
        total.update(b"\0" + statement.canonical.encode())
    return total.hexdigest()[:16]
