"""Lines as wide as the terminal; elsewhere as they are."""

from __future__ import annotations

import sys

import pytest

from trueup.cli.output import show_steps
from trueup.report import PartReport, StepReport

pytestmark = pytest.mark.unit

SENT = "CREATE UNIQUE INDEX CONCURRENTLY t_lower_idx ON public.t USING btree (lower((b)::text)) WHERE (id > 0)"
WHY = "the index is built while readers and writers go on, and nobody waits for it, however big the table is"
STEP = StepReport(id="1_i", verdict="run", reason="so", parts=[PartReport(statements=[SENT], why=WHY)])


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_no_line_is_wider_than_it(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    show_steps([STEP], statements=True)

    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= columns
    assert f"{SENT}; {WHY}" in " ".join(" ".join(lines).split())


def test_elsewhere_a_statement_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_steps([STEP], statements=True)

    assert [f"            {SENT};", f"              {WHY}"] == capsys.readouterr().err.splitlines()[1:]
