"""Build a chain's steps from its files: which statements belong together, what each is called, what holds for it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from trueup.chain import statements as ask
from trueup.chain.directives import Directives, read_directives
from trueup.chain.files import MigrationFile, digest, read_files
from trueup.chain.grammar import Statement, parse_statements, trailing_comments
from trueup.chain.model import Allowed, Chain, Step
from trueup.chain.naming import derived_name
from trueup.chain.sections import up_section
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


@dataclass(slots=True)
class _Block:
    """Statements that become one step."""

    statements: list[Statement] = field(default_factory=list)
    directives: Directives = field(default_factory=Directives)
    context: tuple[str, ...] = ()
    phase: str = "expand"
    allowed: list[Allowed] = field(default_factory=list)

    @property
    def mergeable(self) -> bool:
        """It may share a transaction with its neighbours."""
        return self.directives.backfill is None and not any(
            ask.refuses_transactions(s) or s.tag == "alter_enum_stmt" for s in self.statements
        )


def _file_steps(file: MigrationFile, *, number: str, taken: set[str]) -> list[Step]:
    try:
        text = file.text
    except UnicodeDecodeError as error:
        line = file.data[: error.start].count(b"\n") + 1
        raise MigrationError("the file is not UTF-8", path=file.path, line=line, hint="Save it as UTF-8.") from None
    if file.path.endswith(".py"):
        from trueup.chain.python import python_steps

        return python_steps(file, text, number=number)
    text = up_section(text)
    parsed = parse_statements(text, path=file.path)
    blocks = _blocks(parsed, trailing_comments(text, parsed), file.path)
    blocks = _merge_recreated(_merge_one_transaction(blocks, file.path))
    return [_step(block, file, number=number, taken=taken) for block in blocks]


def _blocks(parsed: list[Statement], trailing: str, path: str) -> list[_Block]:
    """One block per statement, or per BEGIN … COMMIT or atomic … end atomic; session settings become context."""
    blocks: list[_Block] = []
    opened: _Block | None = None
    settings: dict[str, str] = {}
    phase = "expand"
    last_line = 1
    is_wrapped = False
    for statement in parsed:
        last_line = statement.line
        found = read_directives(statement.lead, path=path, line=statement.line)
        phase = found.phase or phase
        if found.end_atomic:
            _must_be_open(opened, path, statement.line)
            opened = None
        if statement.tag == "transaction_stmt":
            is_wrapped = is_wrapped or (opened is None and not _begins(statement))
            opened = _transaction(statement, opened, found, blocks, path)
            continue
        if opened is None and ask.is_session_setting(statement):
            _remember(settings, statement)
            continue
        if found.atomic and opened is None:
            opened = _Block()
            blocks.append(opened)
        block = opened
        if block is None:
            block = _Block()
            blocks.append(block)
        if not block.statements:
            _merge_directives(block, found)
            block.context = tuple(settings.values())
            block.phase = phase
        elif found.backfill:
            raise MigrationError(
                "a backfill in the middle of an atomic block",
                path=path,
                line=statement.line,
                hint="Its batches are transactions of their own: move the statement out of the block.",
            )
        block.statements.append(statement)
        block.allowed += _allowed(found, 0 if found.atomic else statement.line)
    if read_directives(trailing, path=path, line=last_line).end_atomic:
        _must_be_open(opened, path, last_line)
        opened = None
    if opened is not None and not is_wrapped:  # its tool begins a transaction before a file, and ends it behind
        end = "-- end atomic" if opened.directives.atomic else "COMMIT;"
        raise MigrationError("a block that is not closed", path=path, line=last_line, hint=f"Add `{end}`.")
    return [block for block in blocks if block.statements]


def _must_be_open(opened: _Block | None, path: str, line: int) -> None:
    if opened is None:
        raise MigrationError("`end atomic` without `atomic` before it", path=path, line=line)


def _allowed(found: Directives, line: int) -> list[Allowed]:
    return [Allowed(line=line, rule=rule, reason=reason) for rule, reason in found.allowed]


def _merge_directives(block: _Block, found: Directives) -> None:
    """A directive before BEGIN holds for the block, as one before its first statement does."""
    earlier = block.directives
    block.directives = found
    if earlier.step:
        found.step, found.former = earlier.step, earlier.former
    found.done_when = found.done_when or earlier.done_when
    found.undo = found.undo or earlier.undo
    found.backfill = found.backfill or earlier.backfill
    found.as_written = found.as_written or earlier.as_written


def _transaction(
    statement: Statement,
    opened: _Block | None,
    found: Directives,
    blocks: list[_Block],
    path: str,
) -> _Block | None:
    word = statement.text.split()[0].upper()
    if _begins(statement):
        if opened is None:
            opened = _Block(directives=found, allowed=_allowed(found, 0))
            blocks.append(opened)
        return opened
    if word in ("COMMIT", "END"):
        return None
    raise MigrationError(
        f"{word} in a migration",
        path=path,
        line=statement.line,
        hint="A step is one transaction; write what should happen, not what should be taken back.",
    )


def _begins(statement: Statement) -> bool:
    return statement.text.upper().startswith(("BEGIN", "START"))


def _remember(settings: dict[str, str], statement: Statement) -> None:
    name = ask.setting_name(statement)
    if not name:
        settings.clear()
    elif local := ask.as_local_setting(statement):
        settings[name] = local


def _merge_one_transaction(blocks: list[_Block], path: str) -> list[_Block]:
    """A file with LOCK TABLE, SET LOCAL or temporary tables is one step from there on, where it can be."""
    first = next(
        (i for i, b in enumerate(blocks) if len(b.statements) == 1 and ask.needs_one_transaction(b.statements[0])),
        None,
    )
    if first is None:
        return blocks
    if backfill := next((block for block in blocks[first:] if block.directives.backfill), None):
        raise MigrationError(
            "a backfill in a file that needs one transaction",
            path=path,
            line=backfill.statements[0].line,
            hint=f"LOCK TABLE, SET LOCAL or a temporary table in line {blocks[first].statements[0].line} begins it: "
            "move the backfill into a file of its own.",
        )
    if not all(block.mergeable for block in blocks[first:]):
        return blocks
    return [*blocks[:first], _joined(blocks[first:])]


def _merge_recreated(blocks: list[_Block]) -> list[_Block]:
    """From the removal of an object to its re-creation is one step: applications never see the gap."""
    merged: list[_Block] = []
    position = 0
    while position < len(blocks):
        end = _recreation_end(blocks, position)
        merged.append(_joined(blocks[position : end + 1]) if end > position else blocks[position])
        position = end + 1
    return merged


def _recreation_end(blocks: list[_Block], start: int) -> int:
    removed: set[tuple[str, str]] = set()
    end = scan = start
    while scan < len(blocks):
        if not blocks[scan].mergeable or blocks[scan].phase != blocks[start].phase:
            break
        for statement in blocks[scan].statements:
            if removed & ask.created_objects(statement):
                end = scan
            if scan == start or scan <= end:
                removed |= ask.removed_objects(statement)
        scan += 1
    if end > start:  # removals inside the stretch may be re-created behind it
        for block in blocks[start : end + 1]:
            for statement in block.statements:
                removed |= ask.removed_objects(statement)
        for later in range(end + 1, len(blocks)):
            if not blocks[later].mergeable:
                break
            if any(removed & ask.created_objects(s) for s in blocks[later].statements):
                end = later
    return end


def _joined(blocks: list[_Block]) -> _Block:
    if len(blocks) == 1:
        return blocks[0]
    return _Block(
        statements=[statement for block in blocks for statement in block.statements],
        directives=blocks[0].directives,
        context=blocks[0].context,
        phase=blocks[0].phase,
        allowed=[allowed for block in blocks for allowed in block.allowed],
    )


def _step(
    block: _Block,
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
        phase="contract" if block.phase == "contract" else "expand",
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


def _hash(block: _Block) -> str:
    total = hashlib.sha256("\0".join(block.context).encode())
    for statement in block.statements:
        total.update(b"\0" + statement.canonical.encode())
    return total.hexdigest()[:16]
