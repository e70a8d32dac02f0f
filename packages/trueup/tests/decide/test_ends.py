"""Where nothing of a chain is there, it is decided at once, and as a look at each fact would have it."""

from __future__ import annotations

import pytest

import trueup.decide.decide as deciding
from trueup.chain.model import Effect
from trueup_testing.facts import Made, chain_of, decided, step, verdicts

pytestmark = pytest.mark.unit

TABLE = step("CREATE TABLE t (id int)", {"table public.t": "", "column public.t.id": "integer"})
OTHER = step("CREATE TABLE u (id int)", {"table public.u": "", "column public.u.id": "integer"})
KEY = step("ALTER TABLE t ADD PRIMARY KEY (id)", {"constraint public.t.t_pkey": "PRIMARY KEY (id)"})
RENAME = step(
    "ALTER TABLE u RENAME TO v",
    {"table public.v": "", "column public.v.id": "integer"},
    gone=["table public.u", "column public.u.id"],
)
GONE = step("DROP TABLE v", gone=["table public.v", "column public.v.id"])
ROWS = step("INSERT INTO t VALUES (1)")
GUARDED = step("UPDATE t SET id = 2 WHERE id = 1", guarded=True)
FOUND_SO = step("DROP TABLE IF EXISTS w")
UNSEEN = step("ANALYZE t")
VIEW = step("CREATE VIEW x AS SELECT 1", {"view public.x": "SELECT 1"}, repeatable=True)
SWAP = step(
    "CREATE TABLE w (); DROP TABLE w; CREATE TABLE y ()",
    {"table public.y": ""},
    parts=(
        Effect(set={"table public.w": ""}, gone=(), locks={}),
        Effect(set={}, gone=("table public.w",), locks={}),
        Effect(set={"table public.y": ""}, gone=(), locks={}),
    ),
)


CHAINS = [
    (TABLE, KEY, ROWS, GUARDED),
    (ROWS, TABLE),
    (TABLE, OTHER, FOUND_SO, RENAME, UNSEEN),
    (TABLE, OTHER, RENAME, ROWS, GONE),
    (TABLE, VIEW, SWAP, ROWS),
]


@pytest.mark.parametrize("steps", CHAINS)
def test_it_is_as_with_a_look_at_each_fact(steps: tuple[Made, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = decided(chain_of(*steps), {})

    monkeypatch.setattr(deciding, "at_its_start", lambda *_: None)

    assert decided(chain_of(*steps), {}) == at_once


def test_what_a_step_makes_on_its_way_is_not_nothing() -> None:
    assert ["run", "complete"] == verdicts(decided(chain_of(TABLE, SWAP), {"table public.w": ""}))
