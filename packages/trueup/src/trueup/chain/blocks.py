"""Which statements of a file belong together: single ones, transactions, what is dropped and made again."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.chain import statements as ask
from trueup.chain.directives import Directives, read_directives
from trueup.chain.grammar import Statement
from trueup.chain.model import Allowed, Phase
from trueup.errors import MigrationError


@dataclass(slots=True)
class Block:
    """Statements that become one step."""

    statements: list[Statement] = field(default_factory=list)
    directives: Directives = field(default_factory=Directives)
    context: tuple[str, ...] = ()
    phase: Phase = "expand"
    allowed: list[Allowed] = field(default_factory=list)

    @property
    def mergeable(self) -> bool:
        """It may share a transaction with its neighbours."""
        return self.directives.backfill is None and not any(
            ask.refuses_transactions(s) or s.tag == "alter_enum_stmt" for s in self.statements
        )


def blocks_of(parsed: list[Statement], trailing: str, path: str) -> list[Block]:
    """The blocks of a file, in order; `trailing` are the comments behind its last statement.

    Raises:
        MigrationError: a directive or a transaction is where it cannot be; names file and line.
    """
    reading = _Reading(path)
    for statement in parsed:
        reading.take(statement)
    reading.end(trailing, parsed[-1].line if parsed else 1)
    blocks = [block for block in reading.blocks if block.statements]
    return _merge_recreated(_merge_one_transaction(blocks, path))


class _Reading:
    """One block per statement, or per BEGIN … COMMIT or atomic … end atomic; session settings become context."""

    def __init__(self, path: str) -> None:
        self.blocks: list[Block] = []
        self._path = path
        self._opened: Block | None = None
        self._is_wrapped = False  # its tool begins a transaction before the file, and ends it behind
        self._settings: dict[str, str] = {}
        self._phase: Phase = "expand"

    def take(self, statement: Statement) -> None:
        """The next statement, with the directives before it."""
        found = read_directives(statement.lead, path=self._path, line=statement.line)
        self._phase = found.phase or self._phase
        if found.end_atomic:
            self._close_atomic(statement.line)
        if statement.tag == "transaction_stmt":
            self._transaction(statement, found)
        elif self._opened is None and ask.is_session_setting(statement):
            self._remember(statement)
        else:
            self._add(statement, found)

    def end(self, trailing: str, line: int) -> None:
        """The end of the file."""
        if read_directives(trailing, path=self._path, line=line).end_atomic:
            self._close_atomic(line)
        if self._opened is not None and not self._is_wrapped:
            end = "-- end atomic" if self._opened.directives.atomic else "COMMIT;"
            raise MigrationError("a block that is not closed", path=self._path, line=line, hint=f"Add `{end}`.")

    def _add(self, statement: Statement, found: Directives) -> None:
        if found.atomic and self._opened is None:
            self._opened = self._new(Block())
        block = self._opened or self._new(Block())
        if not block.statements:
            _merge_directives(block, found)
            block.context = tuple(self._settings.values())
            block.phase = self._phase
        elif found.backfill:
            raise MigrationError(
                "a backfill in the middle of an atomic block",
                path=self._path,
                line=statement.line,
                hint="Its batches are transactions of their own: move the statement out of the block.",
            )
        block.statements.append(statement)
        block.allowed += _allowed(found, 0 if found.atomic else statement.line)

    def _new(self, block: Block) -> Block:
        self.blocks.append(block)
        return block

    def _close_atomic(self, line: int) -> None:
        if self._opened is None:
            raise MigrationError("`end atomic` without `atomic` before it", path=self._path, line=line)
        self._opened = None

    def _transaction(self, statement: Statement, found: Directives) -> None:
        word = statement.text.split()[0].upper()
        begins = word in ("BEGIN", "START")
        self._is_wrapped = self._is_wrapped or (self._opened is None and not begins)
        if begins:
            self._opened = self._opened or self._new(Block(directives=found, allowed=_allowed(found, 0)))
        elif word in ("COMMIT", "END"):
            self._opened = None
        else:
            raise MigrationError(
                f"{word} in a migration",
                path=self._path,
                line=statement.line,
                hint="A step is one transaction; write what should happen, not what should be taken back.",
            )

    def _remember(self, statement: Statement) -> None:
        name = ask.setting_name(statement)
        if not name:
            self._settings.clear()
        elif local := ask.as_local_setting(statement):
            self._settings[name] = local


def _allowed(found: Directives, line: int) -> list[Allowed]:
    return [Allowed(line=line, rule=rule, reason=reason) for rule, reason in found.allowed]


def _merge_directives(block: Block, found: Directives) -> None:
    """A directive before BEGIN holds for the block, as one before its first statement does."""
    earlier = block.directives
    block.directives = found
    if earlier.step:
        found.step, found.former = earlier.step, earlier.former
    found.done_when = found.done_when or earlier.done_when
    found.undo = found.undo or earlier.undo
    found.backfill = found.backfill or earlier.backfill
    found.as_written = found.as_written or earlier.as_written


def _merge_one_transaction(blocks: list[Block], path: str) -> list[Block]:
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


def _merge_recreated(blocks: list[Block]) -> list[Block]:
    """From the removal of an object to its re-creation is one step: applications never see the gap."""
    merged: list[Block] = []
    position = 0
    while position < len(blocks):
        end = _recreation_end(blocks, position)
        merged.append(_joined(blocks[position : end + 1]) if end > position else blocks[position])
        position = end + 1
    return merged


def _recreation_end(blocks: list[Block], start: int) -> int:
    """The place of the last block that makes again what the stretch from `start` on removes; `start`: there is none."""
    end = _first_recreations(blocks, start)
    if end == start:
        return start
    stretch = [statement for block in blocks[start : end + 1] for statement in block.statements]
    removed = {thing for statement in stretch for thing in ask.removed_objects(statement)}
    for later in range(end + 1, len(blocks)):
        if not blocks[later].mergeable:
            break
        if any(removed & ask.created_objects(s) for s in blocks[later].statements):
            end = later
    return end


def _first_recreations(blocks: list[Block], start: int) -> int:
    """The same, of what the first block removes, and the blocks that make something again."""
    removed: set[tuple[str, str]] = set()
    end = start
    for place in range(start, len(blocks)):
        if not blocks[place].mergeable or blocks[place].phase != blocks[start].phase:
            break
        for statement in blocks[place].statements:
            if removed & ask.created_objects(statement):
                end = place
            if place in (start, end):
                removed |= ask.removed_objects(statement)
    return end


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        statements=[statement for block in blocks for statement in block.statements],
        directives=blocks[0].directives,
        context=blocks[0].context,
        phase=blocks[0].phase,
        allowed=[allowed for block in blocks for allowed in block.allowed],
    )
