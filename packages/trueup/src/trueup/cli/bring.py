"""The work of `trueup up`, whichever way its arguments were read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trueup import api
from trueup.cli.ending import print_json
from trueup.cli.output import show_conclusion, show_drift
from trueup.cli.progress import Watching
from trueup.connect.urls import Urls
from trueup.report import Report

if TYPE_CHECKING:
    from trueup.run.assess import Options


def bring(urls: Urls, folder: Path, *, as_json: bool, name: str = "", options: Options | None = None) -> Report:
    """Bring a database true, and show how that goes and what came of it."""
    with Watching() as watching:
        report = api.up(urls, folder, name=name, options=options, on_event=watching)
    if as_json:
        print_json(report.to_json())
    else:
        show_drift(report)
        show_conclusion(report)
    return report
