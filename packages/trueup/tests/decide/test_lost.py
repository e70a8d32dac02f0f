"""Marks that were there at the last proof and are gone: they count where the facts bear them out."""

from __future__ import annotations

import pytest

from trueup.decide.decide import decide
from trueup.decide.model import Decision, Marks, Wish
from trueup_testing.facts import chain_of, state, step, verdicts

pytestmark = pytest.mark.unit

T = {"table public.t": "", "column public.t.id": "integer", "not null public.t.id": ""}
X = {"column public.t.x": "integer"}
ENUM = "enum public.kind"
NOT_NULL = "not null public.t.id"
CHAIN = chain_of(
    step("CREATE TABLE t (id int)", T),
    step("ALTER TABLE t ADD x int", X),
    step("INSERT INTO t VALUES (1, 1)"),
    step("ALTER TABLE t DROP x", gone=X),
    step("CREATE TYPE kind AS ENUM ('a')", {ENUM: "'a'"}),
    step("ALTER TABLE t ADD x int", X),
    step("ALTER TYPE kind ADD VALUE 'b'", {ENUM: "'a', 'b'"}),
    step("ALTER TYPE kind ADD VALUE 'c'", {ENUM: "'a', 'b', 'c'"}),
    step("ALTER TABLE t ALTER id DROP NOT NULL", gone=[NOT_NULL]),
)
AT = 5


def _decided(live: dict[str, str], *, marked: range | list[int] = range(0), wish: Wish | None = None) -> Decision:
    done = frozenset(marked)
    return decide(CHAIN, live, Marks(done=done, own=done, lost=frozenset(range(AT)) - done), wish)


@pytest.mark.parametrize("marked", [[], [0], [0, 4], [1, 2]])
def test_they_count_where_nothing_has_changed(marked: list[int]) -> None:
    found = ["skip" if index in marked else "reconcile" for index in range(AT)]

    assert [*found, "run", "run", "run", "run"] == verdicts(_decided(state(CHAIN, AT), marked=marked))


@pytest.mark.parametrize("early, verdict", [(X, "reconcile"), ({ENUM: "'a', 'b'"}, "run"), ({ENUM: "'a', 'c'"}, "run")])
def test_they_count_where_something_is_further_along(early: dict[str, str], verdict: str) -> None:
    decision = _decided({**state(CHAIN, AT), **early})

    assert ["reconcile"] * AT + [verdict] == verdicts(decision)[: AT + 1]


def test_they_count_where_a_rule_is_gone_that_a_later_step_takes_away() -> None:
    live = state(CHAIN, AT)
    del live[NOT_NULL]

    assert "it was marked" in _decided(live).steps[0].reason


@pytest.mark.parametrize("taken", ["column public.t.id", ENUM])
def test_they_do_not_count_where_something_was_taken_back(taken: str) -> None:
    live = state(CHAIN, AT)
    del live[taken]

    assert "it was marked" not in " ".join(one.reason for one in _decided(live, marked=[0]).steps)


def test_a_persons_word_stands_above_them() -> None:
    decision = _decided(state(CHAIN, AT), wish=Wish(run=[2]))

    assert "run" == decision.steps[2].verdict


def test_where_all_is_there_they_are_marked_again() -> None:
    chain = chain_of(step("CREATE TABLE t (id int)", T), step("INSERT INTO t VALUES (1)"))
    marks = Marks(done=frozenset([0]), own=frozenset([0]), lost=frozenset([1]))

    assert ["skip", "reconcile"] == verdicts(decide(chain, state(chain, 2), marks))
