"""Renames that were done early, and the steps that they are of."""

from __future__ import annotations

import pytest

from trueup.chain.model import Effect
from trueup.decide.lent import renamed_early
from trueup.decide.trajectory import Trajectories
from trueup_testing.facts import chain_of, state, step

pytestmark = pytest.mark.unit

CALLS, OLD = {"table public.calls": ""}, {"table public.calls_old": ""}


def test_the_rename_of_a_block_is_early_and_not_one_of_before_by_the_same_names() -> None:
    away, made, gone = "ALTER TABLE calls RENAME TO calls_old", "CREATE TABLE calls ()", "DROP TABLE calls_old"
    parts = (Effect(set=OLD, gone=tuple(CALLS)), Effect(set=CALLS), Effect(gone=tuple(OLD)))
    chain = chain_of(
        step(made, CALLS),
        step(away, OLD, gone=CALLS),
        step(made, CALLS),
        step(gone, gone=OLD),
        step(f"{away};{made};{gone}", {"column public.calls.at": "date"}, parts=parts),
    )

    found = renamed_early(chain.steps, Trajectories(chain.effects, {}), OLD, [0])

    assert [(4, True)] == [(one.index, one.within) for one in found]
    assert [] == renamed_early(chain.steps, Trajectories(chain.effects, {}), state(chain, 3) | OLD, [0])
