"""Everything that a user can say or meet is documented, and the pages hang together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

import trueup
from trueup import config
from trueup.catalog import keys
from trueup.chain import directives
from trueup.chain.lockfile import members_of
from trueup.chain.model import Effect
from trueup.cli import common
from trueup.cli.app import COMMANDS, group
from trueup.decide.model import Verdict
from trueup.errors import TrueupError
from trueup.planning.hazards import RULES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
DOCS = ROOT / "docs"
SOURCE = ROOT / "packages" / "trueup" / "src" / "trueup"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("packages/*/README.md"), *DOCS.glob("*.md")])

_CODE = re.compile(r"`([^`]+)`")
_FENCES = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LONGEST_LINE = 120


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level."""
    level = heading.split(" ", 1)[0]
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no section {heading}"
    return re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def codes(text: str) -> set[str]:
    """Everything between backticks outside of fences."""
    return set(_CODE.findall(_FENCES.sub("", text)))


def classes(of: type[TrueupError]) -> Iterator[type[TrueupError]]:
    yield of
    for child in of.__subclasses__():
        yield from classes(child)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    words = {code.split(" ")[0] for code in codes(section(page("commands"), f"## `{name}`"))}

    options = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}
    assert options <= words


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_has_options_that_are_not_there(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}
    table = [line for line in section(page("commands"), f"## `{name}`").splitlines() if line.startswith("| `--")]

    told = {re.split(r"[ `]", code)[0] for line in table for code in _CODE.findall(line.split("|")[1])}
    assert told <= options


def test_every_choice_is_documented() -> None:
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        told = codes(section(page("commands"), f"## `{name}`"))
        for one in command.params:
            if isinstance(one.type, click.Choice):
                assert {f"{one.opts[0]} {choice}" for choice in one.type.choices} <= told


def test_every_option_before_the_command_is_documented() -> None:
    told = {code.split(" ")[0] for code in codes(page("commands").split("\n## ", 1)[0])}

    assert {option for one in group.params for option in one.opts} <= told


def test_every_verdict_is_documented() -> None:
    assert set(get_args(Verdict)) <= codes(section(page("commands"), "## `plan`"))


def test_every_exit_code_is_documented() -> None:
    table = section(page("commands"), "## Exit codes")
    told = {int(line.split("|")[1]) for line in table.splitlines() if re.match(r"\| \d", line)}

    assert {0, 130, common.EXIT_FINDINGS, common.EXIT_DRIFT} | {one.exit_code for one in classes(TrueupError)} <= told


def test_every_directive_is_documented() -> None:
    pattern = directives._DIRECTIVE.pattern
    words = {word for part in re.findall(r"\?P<(?:word|bare)>([^)]+)\)", pattern) for word in part.split("|")}
    told = {code.removeprefix("-- ").split(":")[0] for code in codes(section(page("migrations"), "## Directives"))}

    assert "done when" in words
    assert words <= told


def test_every_kind_of_fact_is_documented() -> None:
    assert set(keys._KINDS) == codes(section(page("facts"), "## Kinds")) & set(keys._KINDS)
    table = [line for line in section(page("facts"), "## Kinds").splitlines() if line.startswith("| `")]
    told = {kind for line in table for kind in _CODE.findall(line.split("|")[1])}

    assert set(keys._KINDS) == told


def test_every_key_of_the_configuration_is_documented() -> None:
    example = page("configuration")
    for part in {section for section, _ in config._VARIABLES}:
        _, _, rest = example.partition(f"\n[{part}]\n")
        told = set(
            re.findall(r"^(\w+) = ", re.split(r"^\[|^```", rest, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE)
        )
        assert {key for section, key in config._VARIABLES if section == part} == told, part
    rows = [line for line in example.splitlines() if line.startswith("| `[")]
    for (part, key), variable in config._VARIABLES.items():
        assert [row for row in rows if row.startswith(f"| `[{part}] {key}` ") and f"`{variable}`" in row], key


def test_every_environment_variable_is_documented() -> None:
    used = {
        name
        for file in SOURCE.rglob("*.py")
        for name in re.findall(r"\b(?:TRUEUP_[A-Z_]+|DATABASE_URL(?:_\w+)?|NO_COLOR)\b", file.read_text())
    }

    assert {name for name in used if not name.endswith("_")} <= codes(section(page("configuration"), "## Environment"))


def test_every_public_name_is_documented() -> None:
    told = {re.split(r"[(\[]", code)[0] for code in codes(page("library"))}

    assert set(trueup.__all__) - {"__version__"} <= told


def test_every_error_is_documented_with_its_code() -> None:
    table = [line for line in page("library").splitlines() if line.startswith("| `") and line.count("|") == 5]
    told = {kind: (line, int(line.split("|")[3])) for line in table for kind in _CODE.findall(line.split("|")[1])}
    for name in trueup.__all__:
        kind = getattr(trueup, name)
        if isinstance(kind, type) and issubclass(kind, TrueupError) and kind is not TrueupError:
            line, code = told[name]
            assert code == kind.exit_code, name
            assert f"`{kind.code}`" in line or kind is trueup.DecisionNeeded, name


def test_every_rule_of_lint_is_documented_with_its_level() -> None:
    table = re.findall(r"^\| `([\w-]+)` \| (\w+) \|", section(page("lint"), "## Rules"), re.MULTILINE)

    assert {(rule.id, "note" if rule.sends else rule.level.value) for rule in RULES.values()} == set(table)


@pytest.mark.parametrize("heading", ["## Beside squawk", "## Beside strong_migrations"])
def test_lint_is_compared_by_rules_that_it_has(heading: str) -> None:
    table = [line for line in section(page("lint"), heading).splitlines() if line.startswith("| ")][2:]
    ours = {rule for line in table for rule in _CODE.findall(line.split("|")[2])}

    assert len(ours) > 15
    assert ours <= set(RULES)


def test_every_member_of_the_lock_file_is_documented() -> None:
    written = members_of(Effect()).keys()

    assert "locks" in written
    assert {"id", "hash"} | written <= codes(section(page("lock-file"), "## Its lines"))


def test_the_ledger_is_documented() -> None:
    tables = re.findall(
        r"^CREATE TABLE IF NOT EXISTS trueup\.(\w+) \((.*?)^\)",
        (SOURCE / "run" / "sql" / "ledger.sql").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    told = codes(section(page("operations"), "## The ledger"))

    assert {name for name, _ in tables} <= told
    assert set(re.findall(r"^    (\w+) [a-z]", dict(tables)["schema_migrations"], re.MULTILINE)) <= told


def test_every_setting_of_prosaas_is_documented() -> None:
    text = (ROOT / "packages" / "prosaas" / "src" / "prosaas" / "settings.py").read_text()
    fields = re.findall(r"^    (\w+): .* = ", text, re.MULTILINE)

    assert {name.upper() for name in fields} <= codes((ROOT / "packages" / "prosaas" / "README.md").read_text())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(_FENCES.sub("", path.read_text())):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        if anchor and file.suffix == ".md":
            assert anchor in {slug(heading) for heading in _HEADING.findall(_FENCES.sub("", file.read_text()))}, link


def slug(heading: str) -> str:
    """The anchor that a heading has on a page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_are_short_and_commands_exist(path: Path) -> None:
    text = path.read_text()
    prose = [line for line in _FENCES.sub("", text).splitlines() if not line.startswith("|")]

    assert [line for line in prose if len(line) > _LONGEST_LINE] == []
    for line in re.findall(r"^\$ .*\btrueup (.*)$", text, re.MULTILINE):
        words = [word for word in re.split(r"[ ;]+", line) if word in COMMANDS or word.startswith("--")]
        assert set(words) & set(COMMANDS), line


def test_every_page_can_be_found() -> None:
    linked = {link.partition("#")[0] for link in _LINK.findall((ROOT / "README.md").read_text())}

    assert {f"docs/{file.name}" for file in DOCS.glob("*.md") if file.name != "index.md"} <= linked


def test_the_tests_that_pages_name_exist() -> None:
    named = {name for path in PAGES for name in re.findall(r"`(test_\w+)`", path.read_text())}
    there = {
        name
        for file in ROOT.glob("packages/*/tests/**/*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }

    assert set() == named - there
