"""What a decision starts from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from trueup.chain.model import Effect, LockedChain
from trueup.decide.anchor import Anchor
from trueup.decide.model import Marks
from trueup.decide.trajectory import Trajectories


class Given:
    """A chain and the values of its facts along it; a database, where it stands, and what its ledger says.

    `live` are the facts of the database that are the chain's, `here` all that it has.
    """

    def __init__(
        self,
        *,
        locked: LockedChain,
        paths: Trajectories,
        live: Mapping[str, str],
        here: Mapping[str, str],
        anchor: Anchor,
        marks: Marks,
    ) -> None:
        self.locked, self.paths, self.live, self.here = locked, paths, live, here
        self.anchor, self.marks = anchor, marks

    @cached_property
    def beside(self) -> dict[str, str]:
        """What is here and no step of the chain makes, in its order."""
        return {key: value for key, value in self.here.items() if key not in self.live and key not in self.paths.of}

    @cached_property
    def done(self) -> frozenset[int]:
        """The steps that are taken as done, by index."""
        return frozenset(self.anchor.done)

    @cached_property
    def begun(self) -> tuple[Effect, ...]:
        """What the statements did that have run of the steps in which the database stands; mostly it is in none."""
        effects, begun = self.locked.effects, self.anchor.begun
        return tuple(part for index in sorted(begun) for part in effects[index].parts[: begun[index]])

    @cached_property
    def made_within(self) -> frozenset[str]:
        """The facts that they have made."""
        return frozenset(key for part in self.begun for key in part.set)

    @cached_property
    def touched_within(self) -> dict[str, int]:
        """All facts that they touch, with the index of the step."""
        effects, begun = self.locked.effects, self.anchor.begun
        return {key: i for i in sorted(begun) for part in effects[i].parts[: begun[i]] for key in part.keys}
