"""What is healed and what is left, with `heal = on | new | off`."""

from __future__ import annotations

import pytest

from trueup.chain.model import Facts
from trueup.decide.model import Decision, Difference
from trueup.planning.build import build
from trueup.planning.healing import Heal, Proof, in_the_way, without_left
from trueup_testing.facts import chain_of, decided, state, step

pytestmark = pytest.mark.unit

COLUMN, INDEX = "column public.a.x", "index public.a_x"
ON_COLUMN = "ON public.a USING btree (x)"
CHAIN = chain_of(
    step("CREATE TABLE a (x int, y int)", {"table public.a": "", COLUMN: "integer", "column public.a.y": "integer"}),
    step("CREATE INDEX a_x ON a (x)", {INDEX: ON_COLUMN, "valid public.a_x": ""}),
    step("ALTER TABLE a ADD z int DEFAULT 1", {"column public.a.z": "integer", "default public.a.z": "1"}),
)
COLUMN_AND_INDEX = {COLUMN, INDEX, "valid public.a_x"}


def without(*keys: str) -> Facts:
    return {key: value for key, value in state(CHAIN, 3).items() if key not in keys}


def decision(*missing: str) -> Decision:
    return decided(CHAIN, without(*missing), marked=[0, 1, 2])


@pytest.mark.parametrize(
    "heal, were_true, left",
    [
        ("on", COLUMN_AND_INDEX, set()),
        ("off", set(), COLUMN_AND_INDEX),
        ("new", set(), set()),
        ("new", {INDEX, "valid public.a_x"}, {INDEX, "valid public.a_x"}),
        ("new", {COLUMN}, COLUMN_AND_INDEX),  # no index on a column that is left missing
    ],
)
def test_what_is_left(heal: Heal, were_true: set[str], left: set[str]) -> None:
    healed, found = without_left(decision(*COLUMN_AND_INDEX), heal, were_true)

    assert left == set(found)
    assert COLUMN_AND_INDEX - left == set(healed.heal)
    assert dict.fromkeys(left) == {key: healed.before[key] for key in left}
    assert bool(COLUMN_AND_INDEX - left) == bool(build(CHAIN, healed).actions)


ALL = frozenset({0, 1, 2})


@pytest.mark.parametrize(
    "proof, expected",
    [
        (Proof(), set()),
        (Proof(steps=ALL), COLUMN_AND_INDEX),
        (Proof(steps=frozenset({0})), {COLUMN}),  # the index was made after the last proof
        (Proof(steps=ALL, drift={COLUMN: Difference(fact=COLUMN, wanted="integer", found=None)}), {INDEX}),
        (Proof(steps=ALL, drift={COLUMN: Difference(fact=COLUMN, wanted="integer", found=None, was_true=True)}), COLUMN_AND_INDEX),
    ],
)  # fmt: skip
def test_what_was_true_at_the_last_proof(proof: Proof, expected: set[str]) -> None:
    assert expected - {"valid public.a_x"} == proof.were_true(CHAIN, decision(*COLUMN_AND_INDEX)) - {"valid public.a_x"}


def test_what_differed_already_was_not_true() -> None:
    live = {**without(), "default public.a.z": "2"}
    seen = decided(CHAIN, live, marked=[0, 1, 2])
    then = Proof(steps=ALL, drift={"default public.a.z": Difference(fact="default public.a.z", wanted="1", found="2")})

    assert {"default public.a.z"} == Proof(steps=ALL).were_true(CHAIN, seen)
    assert set() == then.were_true(CHAIN, seen)


def test_a_step_that_changes_what_is_left_missing_is_for_a_person() -> None:
    live = {key: value for key, value in state(CHAIN, 1).items() if key != COLUMN}
    locked = chain_of(
        *zip(CHAIN.steps[:1], CHAIN.effects[:1], strict=True),
        step("ALTER TABLE a ALTER x TYPE bigint", {COLUMN: "bigint"}),
        step("ALTER TABLE a ADD w int", {"column public.a.w": "integer"}),
    )
    seen = decided(locked, live, marked=[0])
    healed, left = without_left(seen, "off", ())

    (conflict,) = in_the_way(locked, healed, left, seen.before)

    assert locked.steps[1].id == conflict.about
    assert COLUMN in conflict.why
    assert "--heal on" in conflict.hint
    assert [] == list(in_the_way(locked, seen, [], seen.before))
