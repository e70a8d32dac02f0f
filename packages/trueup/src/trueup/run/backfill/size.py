"""How many rows the next batch has. Plain arithmetic."""

from __future__ import annotations

TARGET_SECONDS = 0.15  # whoever writes a row of the batch waits for all of it, and should not notice
_LEAST_TARGET = 0.05
_MOST_ROWS = 1_000_000
_LITTLE = 0.8  # of the time before: making the batch smaller has hardly made it shorter


class Sizer:
    """Adapts batches to a time: what they lock, others wait for as long.

    A statement may cost the same however few its rows, such as one that joins a subquery over another table. Where
    fewer rows have not made a batch shorter, it is not made smaller any more.
    """

    def __init__(self, rows: int, target: float = TARGET_SECONDS) -> None:
        self.rows = max(1, rows)
        self.target = target
        self._usual = target
        self._least = 1
        self._before: tuple[int, float] | None = None

    def took(self, seconds: float, *, waiters: int = 0) -> None:
        """A full batch is done; `waiters` are sessions that waited for it in the end."""
        self.target = max(_LEAST_TARGET, self.target / 2) if waiters else min(self._usual, self.target * 1.1)
        if self._before is not None:
            rows, earlier = self._before
            if self.rows <= rows * 0.75 and seconds > earlier * _LITTLE:
                self._least = rows
        self._before = self.rows, seconds
        wanted = self.rows * min(2.0, max(0.5, self.target / max(seconds, 0.001)))
        self.rows = min(_MOST_ROWS, max(self._least, int(wanted), 1))

    def failed(self) -> None:
        """It took too long, or somebody was in the way: half as many rows next time."""
        self.rows = max(1, self.rows // 2)
        self._least, self._before = 1, None
