"""The benchmark of a change under load, small: it runs, and no client's statement fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup_testing.command import run_benchmark

pytestmark = pytest.mark.acceptance


def test_a_change_under_load_fails_no_client_s_statement(tmp_path: Path) -> None:
    arguments = ["--quick", "--rows", "2000", "--only", "trueup", "--scene", "change"]
    code, document = run_benchmark("online", *arguments, "--output", tmp_path / "online")
    (trial,) = document["trials"]

    assert "" == trial["trouble"]
    assert (0, []) == (trial["change"]["failed"], trial["change"]["errors"])
    assert min(trial["quiet"]["statements"], trial["change"]["statements"]) > 20
    assert "| trueup" in (tmp_path / "online.md").read_text()
    assert code in (0, 1)  # how long it took on a busy machine is no test's business
