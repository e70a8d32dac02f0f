"""Walk over steps and tell what is dangerous about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from trueup.chain.grammar import Statement, enum_name, parse_statements
from trueup.chain.locks import STRONG
from trueup.chain.model import Effect, Step
from trueup.planning.hazards import behaviour, blocks, columns, constraints, contract, heavy, indexes, rows, style
from trueup.planning.hazards.around import Around, made_objects, made_relations
from trueup.planning.hazards.model import Family, Finding, Hit, Level, Rule
from trueup.planning.hazards.sent import Sending, Sent

UNKNOWN_RULE = Rule(
    id="unknown-rule",
    family=Family.LINT,
    title="`-- lint: allow` of a rule that does not exist",
    why="It allows nothing.",
    instead="`trueup lint --rules` lists them.",
)
UNUSED_ALLOW = Rule(
    id="unused-allow",
    family=Family.LINT,
    title="`-- lint: allow` without a finding",
    why="It would hide one that comes later.",
    instead="Take it out.",
    level=Level.NOTE,
)
_ALL = (contract, constraints, columns, indexes, heavy, rows, blocks, style, behaviour)
RULES: dict[str, Rule] = {rule.id: rule for module in _ALL for rule in module.RULES} | {
    rule.id: rule for rule in (UNKNOWN_RULE, UNUSED_ALLOW)
}
_ALTERS = (contract, constraints, columns, indexes, heavy, style, behaviour)
_STATEMENTS = (contract, constraints, indexes, heavy, rows, style, behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """What to look at.

    `effects` belong to the first of the `steps`; a lock file may not know the last ones yet, or there is none. Of
    steps that run together (those that a database lacks) a table that one makes is new to all behind it; else it is
    new within its file only.
    """

    steps: Sequence[Step]
    effects: Sequence[Effect] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    chosen: Collection[str] | None = None  # ids of the steps to tell about; None: all
    together: bool = False
    info: bool = False


def find(lint: Lint) -> list[Finding]:
    """Every finding, in the order of the chain."""
    facts = dict(lint.base)
    parsed = {step.id: _parsed(step) for step in lint.steps if lint.chosen is None or step.id in lint.chosen}
    again: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for step in lint.steps:
        if step.id in parsed:
            again[step.path] |= made_objects(parsed[step.id])
    found: list[Finding] = []
    for _, steps in groupby(enumerate(lint.steps), lambda numbered: "" if lint.together else numbered[1].path):
        fresh: set[str] = set()
        sending: Sending | None = None
        for position, step in steps:
            effect = lint.effects[position] if position < len(lint.effects) else None
            if step.id in parsed:
                sending = sending or Sending(lint.steps, lint.effects, facts)
                sent = sending.of(position) if effect else None
                around = Around(step=step, effect=effect, facts=facts, fresh=fresh, again=again[step.path], sent=sent)
                found += _of_step(parsed[step.id], around, info=lint.info)
            if effect:
                for key in effect.gone:
                    facts.pop(key, None)
                facts.update(effect.set)
    return found


def _parsed(step: Step) -> list[Statement]:
    return [statement for text in step.statements for statement in parse_statements(text, path=step.path)]


def _of_step(statements: list[Statement], around: Around, *, info: bool) -> Iterator[Finding]:
    step, hits = around.step, list[tuple[int, Hit]]()
    for setting in step.context:
        hits += [(0, hit) for hit in heavy.timeout_hits(setting)]
    arounds = []
    for position, statement in enumerate(statements):
        now = replace(around, fresh=set(around.fresh))
        arounds.append(now)
        hits += [(position, hit) for hit in _of_statement(statement, now)]
        around.fresh |= _newly_made(statement, now)
    if len(statements) > 1:
        hits += blocks.block_hits(statements, arounds, around.effect.locks if around.effect else {})
    hits += [(0, hit) for hit in heavy.observed_hits(around, {hit.rule.id for _, hit in hits})]
    found = _told(list(_once(hits)), around, alone=len(statements) == 1)
    yield from (one for one in found if info or one.level is not Level.INFO)


def _of_statement(statement: Statement, around: Around) -> Iterator[Hit]:
    for module in _STATEMENTS:
        yield from module.statement_hits(statement, around)
    if statement.tag == "alter_table_stmt":
        for item in statement.node.cmds:
            command = item.alter_table_cmd
            for module in _ALTERS:
                yield from module.alter_hits(statement.node.relation, command, enum_name(command, "subtype"), around)


def _newly_made(statement: Statement, around: Around) -> set[str]:
    made = made_relations(statement)
    node = statement.node
    if statement.tag in ("rename_stmt", "index_stmt"):  # as new as the table
        return made if node.relation.relname in around.fresh else set()
    return made


def _once(hits: Iterable[tuple[int, Hit]]) -> Iterator[tuple[int, Hit]]:
    seen = set()
    for position, hit in hits:
        if (key := (position, hit.rule.id, hit.said)) not in seen:
            seen.add(key)
            yield position, hit


def _told(hits: list[tuple[int, Hit]], around: Around, *, alone: bool) -> Iterator[Finding]:
    step = around.step
    lines = step.lines or (step.line,) * len(step.statements)
    used = set()
    for position, hit in hits:
        allowed = [a for a in step.allowed if a.rule == hit.rule.id and a.line in (0, lines[position])]
        used |= set(allowed)
        settled = (step.as_written and hit.rule.family is Family.LOCKS) or (
            step.phase == "contract" and hit.rule.family is Family.CONTRACT
        )
        if allowed or settled:
            continue
        yield _finding(hit, around, lines[position], position, alone=alone)
    for allow in step.allowed:
        rule = RULES.get(allow.rule)
        if rule is None:
            yield _about_allow(UNKNOWN_RULE, step, allow.line, f"no rule is called {allow.rule}")
        elif allow not in used and rule.level is not Level.INFO:
            yield _about_allow(UNUSED_ALLOW, step, allow.line, f"{allow.rule} is allowed here, and is not found")


def _finding(hit: Hit, around: Around, line: int, position: int, *, alone: bool) -> Finding:
    rule, step = hit.rule, around.step
    sent = around.sent if alone else None
    level, why, instead = _judged(rule, sent, alone=alone)
    text = step.statements[position].encode()[: hit.at]
    return Finding(
        rule=rule,
        level=level,
        path=step.path,
        line=line + text.count(b"\n"),
        step=step.id,
        said=hit.said,
        why=why,
        instead=instead,
        locks=_locks(hit, around) if alone else hit.locks,
        sends=sent.statements if sent and _has_form(rule, sent) else (),
    )


def _judged(rule: Rule, sent: Sent | None, *, alone: bool) -> tuple[Level, str, str]:
    """(level, why, what to do) with what `up` would send, where that is known."""
    by_itself = f"Nothing to do: `up` {rule.sends}." if rule.sends else "Nothing to do: `up` sends another form."
    if sent and sent.is_refused and rule.family is Family.LOCKS:
        return Level.WARNING, f"{rule.why} `up` refuses it where the table is big.", rule.instead
    if _has_form(rule, sent):
        return Level.NOTE, rule.why, by_itself
    if sent and rule.sends:  # the scratch server showed that nothing is read, built or written
        return Level.INFO, rule.why, "Nothing to do: this one takes an instant."
    if rule.sends and alone:
        return Level.NOTE, rule.why, by_itself
    if rule.sends:
        return Level.WARNING, f"{rule.why} It shares a transaction, so `up` sends it as written.", rule.instead
    return rule.level, rule.why, rule.instead


def _has_form(rule: Rule, sent: Sent | None) -> bool:
    """`up` answers this rule with a safe form."""
    return sent is not None and sent.is_safe_form and rule.family is Family.LOCKS


def _locks(hit: Hit, around: Around) -> Mapping[str, str]:
    """The locks that the scratch server showed, where it was asked; else those that such a statement takes."""
    if around.effect is None or hit.rule.family not in (Family.LOCKS, Family.CONTRACT) or not around.effect.locks:
        return hit.locks
    return {relation: mode for relation, mode in around.effect.locks.items() if mode in STRONG or relation in hit.locks}


def _about_allow(rule: Rule, step: Step, line: int, said: str) -> Finding:
    return Finding(
        rule=rule,
        level=rule.level,
        path=step.path,
        line=line or step.line,
        step=step.id,
        said=said,
        why=rule.why,
        instead=rule.instead,
    )
