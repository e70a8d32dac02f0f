"""What every command needs: the options before its name, the configuration, and how to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.ending import print_json
from trueup.config import Config, load
from trueup.connect.urls import Urls, urls_from

if TYPE_CHECKING:
    from trueup.report import Report
    from trueup.run.assess import Options

EXIT_FINDINGS = 6
EXIT_DRIFT = 7


@dataclass
class Context:
    """The options that stand before the command's name."""

    config: str
    migrations: str
    database_url: str
    as_json: bool

    @cached_property
    def settings(self) -> Config:
        """The configuration file, with the flags over it."""
        return load(Path(self.config) if self.config else None, migrations=self.migrations)

    @property
    def folder(self) -> Path:
        """The folder of migrations."""
        return self.settings.folder

    @property
    def urls(self) -> Urls:
        """The database's URLs."""
        return urls_from(self.database_url)

    def options(self, **wanted: Any) -> Options:
        """Options of a run, with the configuration's limits."""
        from trueup.run.assess import Options
        from trueup.run.execute import Limits

        limits = Limits(
            statement_timeout_ms=int(self.settings.statement_timeout * 1000),
            lock_timeout_ms=int(self.settings.lock_timeout * 1000),
            lock_wait=self.settings.lock_wait,
            lock_budget=self.settings.lock_budget,
            **{name: wanted.pop(name) for name in ("ends_idle", "full_speed", "patient") if name in wanted},
        )
        fixed = {"heal": self.settings.heal, "big_rows": self.settings.big_rows, "big_bytes": self.settings.big_size}
        return Options(limits=limits, **{**fixed, **wanted})

    def print_json(self, document: dict[str, Any]) -> None:
        """The one document on standard output."""
        print_json(document)

    def print_report(self, report: Report, show: Callable[[Report], None]) -> None:
        """The report as JSON where that was asked for, else as `show` writes it."""
        if self.as_json:
            self.print_json(report.to_json())
        else:
            show(report)


def heal_wanted(heal: str | None, no_heal: bool) -> dict[str, str]:
    """`--heal` and `--no-heal` as an option of a run; nothing where the configuration decides."""
    wanted = "off" if no_heal else heal
    return {"heal": wanted} if wanted else {}


pass_context = click.make_pass_decorator(Context)
