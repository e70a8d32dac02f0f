"""squawk on the same statements: what it finds, trueup finds, or docs/lint.md says why not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from trueup.chain.files import MigrationFile
from trueup.chain.grammar import parse_statements
from trueup.chain.steps import read_chain
from trueup.planning.hazards import Lint, find

SQUAWK = Path(sys.executable).with_name("squawk")
ROOT = Path(__file__).resolve().parents[4]
HAZARDS = ROOT / "packages" / "trueup" / "tests" / "every_hazard" / "hazards.sql"
_ROW = re.compile(r"^\| `(?P<theirs>[\w-]+)` \|(?P<ours>[^|]*)\|(?P<why>[^|]*)\|$", re.MULTILINE)
_ELSEWHERE = {  # what no statement of the file can show, being about the file as a whole or a comment
    "ban-concurrent-index-creation-in-transaction",
    "ban-uncommitted-transaction",
    "transaction-nesting",
    "unused-ignore",
}

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not SQUAWK.exists(), reason="squawk-cli is not installed: make setup"),
]


def table() -> dict[str, tuple[set[str], str]]:
    """Squawk's rule → ours, or why there is none, as the documentation has it."""
    text = (ROOT / "docs" / "lint.md").read_text().partition("\n## Beside squawk\n")[2].partition("\n## ")[0]
    return {
        row["theirs"]: (set(re.findall(r"`([\w-]+)`", row["ours"])), row["why"].strip()) for row in _ROW.finditer(text)
    }


def theirs(path: Path) -> dict[int, set[str]]:
    """Line → squawk's rules, those that are off by default as well."""
    known = [f"--include={rule}" for rule in table() if rule != "unused-ignore"]  # that one cannot be named
    done = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", "19", *known, path], capture_output=True, text=True, check=False
    )
    found: dict[int, set[str]] = defaultdict(set)
    for one in json.loads(done.stdout):
        found[one["line"] + 1].add(one["rule_name"])
    return found


def ours(path: Path) -> dict[int, set[str]]:
    file = MigrationFile(path.name, path.read_bytes())
    found: dict[int, set[str]] = defaultdict(set)
    for finding in find(Lint(steps=read_chain(path.parent, files=[file]).steps, info=True)):
        found[finding.line].add(finding.rule.id)
    return found


@pytest.fixture(scope="module")
def one_each(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Statement → rules, theirs and ours; each statement alone, so that none knows of the others."""
    folder = tmp_path_factory.mktemp("hazards")
    texts = [statement.text + ";" for statement in parse_statements(HAZARDS.read_text())]
    whole = folder / "whole.sql"
    whole.write_text("\n".join(texts) + "\n")
    by_line = theirs(whole)
    mine = {}
    for text in texts:
        alone = folder / "1_alone.sql"
        alone.write_text(text)
        mine[text] = set().union(*ours(alone).values())
    return {text: by_line[line] for line, text in enumerate(texts, 1)}, mine


def test_what_squawk_finds_we_find_or_say_why_not(one_each: tuple[dict[str, set[str]], dict[str, set[str]]]) -> None:
    found, mine = one_each
    known = table()
    missed = [
        (text, rule, known.get(rule))
        for text, rules in found.items()
        for rule in rules
        if rule not in known or not (known[rule][1] or known[rule][0] & mine[text])
    ]

    assert missed == []


def test_every_rule_of_the_table_was_found_by_squawk(
    one_each: tuple[dict[str, set[str]], dict[str, set[str]]],
) -> None:
    found = set().union(*one_each[0].values())

    assert set(table()) - _ELSEWHERE == found


def test_a_concurrent_build_in_a_transaction(tmp_path: Path) -> None:
    path = tmp_path / "1_block.sql"
    path.write_text("BEGIN;\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;\n")
    rule = "ban-concurrent-index-creation-in-transaction"

    assert rule in theirs(path)[3]
    assert table()[rule][0] & ours(path)[3]
