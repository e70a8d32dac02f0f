"""What will still differ from the chain when every pending step has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.catalog.keys import owner_of
from trueup.chain.model import Step
from trueup.decide.model import Difference
from trueup.decide.trajectory import Trajectories, Value


def difference(steps: Sequence[Step], key: str, wanted: Value, found: Value, index: int) -> Difference:
    """One fact that differs, and the step that it comes from; -1 where it is none of the chain's."""
    origin = steps[index].id if index >= 0 else ""
    return Difference(fact=key, wanted=wanted, found=found, origin=origin)


def drift(
    steps: Sequence[Step],
    paths: Trajectories,
    final: Mapping[str, Value],
    now: Mapping[str, Value],
    live: Mapping[str, str],
) -> list[Difference]:
    """The managed facts that will differ, by their keys.

    Args:
        steps: The chain's.
        paths: The values of its facts.
        final: The database as the chain wants it.
        now: The database as it will be.
        live: The database as it is.
    """
    found = [
        difference(steps, key, wanted, now.get(key), paths.last_setter(key, len(steps)))
        for key, wanted in final.items()
        if wanted != now.get(key) and not _part_of_missing(key, now, final)
    ]
    found += [
        difference(steps, key, None, value, -1)
        for key, value in live.items()
        if key not in final and key not in paths.of and final.get(owner_of(key)) is not None
    ]
    return sorted(found, key=lambda one: one.fact)


def _part_of_missing(key: str, now: Mapping[str, Value], final: Mapping[str, Value]) -> bool:
    """A facet of something that is itself missing: naming the owner is enough."""
    owner = owner_of(key)
    return bool(owner) and final.get(owner) is not None and now.get(owner) is None
