"""What is shown while a run is at work: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from trueup.cli.output import say, show_event

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trueup.report import Event

LINE_SECONDS = 10.0


class Watching:
    """Shows the events of a run; use it as a context, so that no bar stays behind."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.kind == "progress":
            self._show_progress(event)
            return
        if event.kind in ("part_done", "step_done"):
            for task in [name for name in self._tasks if name == event.step or name.startswith(f"{event.step}.")]:
                self._drop(task)
        show_event(event)

    def _show_progress(self, event: Event) -> None:
        if sys.stderr.isatty():
            self._show_bar(event)
        elif time.monotonic() - self._told.setdefault(event.step, time.monotonic()) > LINE_SECONDS:
            self._told[event.step] = time.monotonic()
            say(event.text)

    def _show_bar(self, event: Event) -> None:
        """A bar per piece of work, below the lines that have been printed."""
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(bar_width=30), TextColumn("{task.description}", markup=False))
            self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bars.start()
        if event.step not in self._tasks:
            self._tasks[event.step] = self._bars.add_task("")
        self._bars.update(
            self._tasks[event.step],
            description=event.text,
            completed=event.done,
            total=max(event.total, event.done),
        )

    def _drop(self, step: str) -> None:
        if self._bars is not None:
            self._bars.remove_task(self._tasks.pop(step))
            if not self._tasks:
                self._stop()

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()
