"""Findings as people, programs, code scanning and GitHub read them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trueup.chain.files import MigrationFile
from trueup.chain.steps import read_chain
from trueup.cli.findings import annotation, sarif, show, show_rules
from trueup.planning.hazards import RULES, Finding, Lint, find

pytestmark = pytest.mark.unit


@pytest.fixture
def findings() -> list[Finding]:
    text = "DROP TABLE t;\nDROP TABLE u;\nCREATE INDEX i ON t (a);\n"
    file = MigrationFile("a.sql", text.encode())
    return find(Lint(steps=read_chain(Path(), files=[file]).steps))


def test_text_is_for_people(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    show(findings, "text", "1 file")

    said = capsys.readouterr()
    assert "" == said.out
    assert "a.sql:1: warning drop-table: t is dropped\n    locks    ACCESS EXCLUSIVE on public.t\n" in said.err
    assert "a.sql:3: note create-index: i is built on t\n    Nothing to do: `up` builds it CONCURRENTLY.\n" in said.err
    assert said.err.endswith("1 file: 2 warnings, 1 note\n")


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show([], "text", "3 steps")

    assert "3 steps: nothing found\n" == capsys.readouterr().err


def test_one_document_for_programs(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    show(findings, "json", "1 file")

    document = json.loads(capsys.readouterr().out)
    assert (2, 1, 0) == tuple(document[level] for level in ("warnings", "notes", "infos"))
    assert {"rule", "level", "path", "line", "step", "message", "locks", "why", "instead"} <= set(
        document["findings"][0]
    )


def test_sarif_has_what_code_scanning_reads(findings: list[Finding]) -> None:
    log = sarif(findings)

    assert ("2.1.0", 1) == (log["version"], len(log["runs"]))
    driver = log["runs"][0]["tool"]["driver"]
    assert ["drop-table", "create-index"] == [rule["id"] for rule in driver["rules"]]
    results = log["runs"][0]["results"]
    assert [0, 0, 1] == [result["ruleIndex"] for result in results]
    assert ["warning", "warning", "note"] == [result["level"] for result in results]
    place = results[1]["locations"][0]["physicalLocation"]
    assert {"artifactLocation": {"uri": "a.sql"}, "region": {"startLine": 2}} == place
    prints = {result["partialFingerprints"]["step/v1"] for result in results}
    assert 3 == len(prints)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in prints)


def test_an_annotation_is_one_line_of_github_s(findings: list[Finding]) -> None:
    assert annotation(findings[0]).startswith(
        "::warning file=a.sql,line=1,title=drop-table (trueup)::t is dropped. The code that is still running",
    )
    assert annotation(findings[2]).startswith("::notice file=a.sql,line=3,title=create-index (trueup)::")


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    show_rules(RULES.values(), as_json=True)
    listed = json.loads(capsys.readouterr().out)["rules"]
    show_rules(RULES.values(), as_json=False)

    assert {"rule": "drop-table", "level": "warning"}.items() <= listed[0].items()
    assert len(RULES) == len(listed) == len(capsys.readouterr().err.splitlines())
