"""What a file puts around a data step and takes back behind it, such as `DISABLE TRIGGER` or `DROP CONSTRAINT`.

The facts are the same before it and behind it, so it counts as done. Where the data step is to run, so is this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.catalog.keys import kind_of, table_touched
from trueup.chain.model import LockedChain
from trueup.decide.model import StepVerdict, run
from trueup.decide.trajectory import Trajectories

_ROWLESS = {
    *("trigger", "trigger state", "rule", "row security", "constraint", "validated", "index", "valid"),
    *("not null", "default"),
}


def with_frames(verdicts: Sequence[StepVerdict], locked: LockedChain, paths: Trajectories) -> list[StepVerdict]:
    """The verdicts, where what stands around a data step that is to run, and counts as done, is to run as well."""
    frames, found = _Frames(verdicts, locked, paths), list(verdicts)
    for index in (one.index for one in verdicts if one.verdict == "run" and locked.steps[one.index].has_data):
        for around in frames.around(index):
            found[around] = run(around, f"it stands around {locked.steps[index].id}, which has not run")
    return found


class _Frames:
    def __init__(self, verdicts: Sequence[StepVerdict], locked: LockedChain, paths: Trajectories) -> None:
        self._verdicts, self._paths = verdicts, paths
        self._steps, self._effects = locked.steps, locked.effects

    def around(self, index: int) -> Iterator[int]:
        """The steps of its file before it, of which all is taken back behind it, and those that take it back."""
        before = index - 1
        while before >= 0 and self._steps[before].path == self._steps[index].path:
            if self._is_rowless(before, index):
                behind = {self._taken_back(key, before, index) for key in self._effects[before].keys}
                if -1 not in behind:
                    yield from (before, *behind)
            before -= 1

    def _is_rowless(self, before: int, index: int) -> bool:
        """True for one that counts as done, and touches only what holds no rows on tables that the data step uses."""
        changes, used = list(self._effects[before].changes), self._effects[index].locks
        is_done = bool(changes) and self._verdicts[before].verdict == "reconcile"
        return is_done and all(kind_of(key) in _ROWLESS and table_touched(key, value) in used for key, value in changes)

    def _taken_back(self, key: str, before: int, index: int) -> int:
        """The first step behind the data step that makes the fact what it was; -1 where none of its file does."""
        was = self._paths.value_at(key, before)
        if self._paths.value_at(key, index) == was:
            return -1
        for behind in range(index + 1, len(self._steps)):
            if self._steps[behind].path != self._steps[index].path:
                break
            if key in self._effects[behind].keys:
                is_it = self._verdicts[behind].verdict == "reconcile" and self._paths.value_at(key, behind + 1) == was
                return behind if is_it else -1
        return -1
