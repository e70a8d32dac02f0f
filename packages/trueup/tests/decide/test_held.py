"""What a later step has made early can stand in the way of one before it."""

from __future__ import annotations

import pytest

from trueup.chain.model import Effect, LockedChain
from trueup_testing.facts import Made, chain_of, decided, state, step, verdicts

pytestmark = pytest.mark.unit

TABLE = step("CREATE TABLE a (x int)", {"table public.a": "", "column public.a.x": "integer"})
OTHERS = [step(f"CREATE TABLE {name} ()", {f"table public.{name}": ""}) for name in "bcde"]
RETYPE = step("ALTER TABLE a ALTER x TYPE bigint", {"column public.a.x": "bigint"})
DROP_COLUMN = step("ALTER TABLE a DROP COLUMN x", gone=["column public.a.x"])
DROP = step("DROP TABLE a", gone=["table public.a", "column public.a.x"])
CASCADE = step("ALTER TABLE a DROP COLUMN x CASCADE", gone=["column public.a.x"])
VIEW = step("CREATE VIEW v AS SELECT x FROM a", {"view public.v": "AS SELECT x FROM public.a"})
OTHER_VIEW = step("CREATE VIEW v AS SELECT y FROM a", {"view public.v": "AS SELECT y FROM public.a"})
POLICY = step("CREATE POLICY p ON a USING (x > 0)", {"policy public.a.p": "USING ((x > 0))"})
KEY = step(
    "ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a",
    {"constraint public.b.f": "FOREIGN KEY (x) REFERENCES public.a(x)"},
)


def chain(pending: Made, early: Made) -> LockedChain:
    return chain_of(TABLE, *OTHERS, pending, early)


SWAP = step(
    "CREATE TABLE n (x bigint); DROP TABLE a; ALTER TABLE n RENAME TO a",
    {"column public.a.x": "bigint"},
    parts=(
        Effect(set={"table public.n": "", "column public.n.x": "bigint"}),
        Effect(gone=("table public.a", "column public.a.x")),
        Effect(set={"table public.a": "", "column public.a.x": "bigint"}, gone=("table public.n", "column public.n.x")),
    ),
)


@pytest.mark.parametrize(
    "pending, early, verdict",
    [
        (RETYPE, OTHER_VIEW, "run"),
        (RETYPE, KEY, "run"),
        (CASCADE, VIEW, "run"),
        (DROP, KEY, "conflict"),
    ],
)
def test_what_could_not_be_made_again_is_a_persons_matter(pending: Made, early: Made, verdict: str) -> None:
    locked = chain(pending, early)

    decision = decided(locked, state(locked, [0, 6]))

    assert ["reconcile", *["run"] * 4, verdict, "reconcile"] == verdicts(decision)
    assert not decision.steps[5].aside


def test_a_view_of_what_is_dropped_is_made_again_by_its_own_step() -> None:
    locked = chain(DROP_COLUMN, VIEW)
    (key,) = VIEW[1].set

    decision = decided(locked, state(locked, [0, 6]))
    later = decided(locked, state(locked, [0, 6]), adopted=[0, 6])

    assert ["reconcile", *["run"] * 6] == verdicts(decision)
    assert (key,) == decision.steps[5].cleared
    assert "conflict" == later.steps[5].verdict


@pytest.mark.parametrize("pending, early", [(RETYPE, VIEW), (RETYPE, POLICY), (SWAP, KEY)])
def test_what_is_in_the_way_is_set_aside(pending: Made, early: Made) -> None:
    locked = chain(pending, early)

    decision = decided(locked, state(locked, [0, 6]))

    assert ["reconcile", *["run"] * 5, "reconcile"] == verdicts(decision)
    assert dict(early[1].set) == decision.steps[5].aside


MOOD = step("CREATE TYPE m AS ENUM ('a')", {"enum public.m": "'a'"})
MOODY = step("CREATE TABLE k (m m)", {"table public.k": "", "column public.k.m": "m"})
PLAIN = step("ALTER TABLE k ALTER m TYPE text", {"column public.k.m": "text"})
OTHER_MOOD = step(
    "DROP TYPE m; CREATE TYPE m AS ENUM ('b')",
    {"enum public.m": "'b'"},
    parts=(Effect(gone=("enum public.m",)), Effect(set={"enum public.m": "'b'"})),
)
WITH_MOOD = step("CREATE TABLE l (m m)", {"table public.l": "", "column public.l.m": "m"})


@pytest.mark.parametrize("early, verdict", [([8], "run"), ([8, 9], "conflict")])
def test_what_is_made_anew_goes_where_its_first_form_is_needed(early: list[int], verdict: str) -> None:
    locked = chain_of(TABLE, *OTHERS, MOOD, MOODY, PLAIN, OTHER_MOOD, WITH_MOOD)

    decision = decided(locked, state(locked, [0, *early]), marked=[0])

    assert verdict == decision.steps[5].verdict
    assert (("enum public.m",) if verdict == "run" else ()) == decision.steps[5].cleared
    assert ("run" if verdict == "run" else "reconcile") == decision.steps[8].verdict
