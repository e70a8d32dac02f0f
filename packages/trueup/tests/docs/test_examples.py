"""The console examples of README and docs, run as a reader would, with their output compared.

A fence is an example if the line above it is a comment: `<!-- example: NAME -->`. Examples of one name in one page
share a folder and a database, which is empty, or the legacy one with `<!-- example: NAME, start: legacy -->`. A fence
with `<!-- example: NAME, file: PATH -->` is written to that path.

In the output, `…` stands for anything: alone on a line for lines, elsewhere for text. Milliseconds and seconds, times
of day and process ids are not compared.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

import trueup
from trueup_testing.command import clean_environment
from trueup_testing.databases import Databases

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[4]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/*.md")])
LEGACY = ROOT / "packages" / "prosaas" / "tests" / "legacy" / "legacy.sql"

_FENCE = re.compile(
    r"^<!-- example: (?P<name>[\w-]+)(?:, start: (?P<start>legacy))?(?:, file: (?P<file>\S+))? -->\n"
    r"```(?P<language>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_VARIES = (
    (re.compile(r"\b\d+(?:\.\d+)? (m?s)\b"), r"0 \1"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z"), "2026-01-01T00:00:00Z"),
    (re.compile(r"\S+@\S+ pid \d+"), "me@here pid 1"),
    (re.compile(r"\bat [\d.]+/[\d.]+\b"), "at 1/1"),
)


@dataclass
class Example:
    """The fences of one name in one page."""

    start: str = ""
    fences: list[re.Match[str]] = field(default_factory=list)


def examples_of(page: Path) -> dict[str, Example]:
    """The examples of a page by name."""
    found: dict[str, Example] = {}
    for fence in _FENCE.finditer(page.read_text()):
        example = found.setdefault(fence["name"], Example())
        example.start = example.start or fence["start"] or ""
        example.fences.append(fence)
    return found


EXAMPLES = [(page, name) for page in PAGES for name in examples_of(page)]


def test_every_marker_is_understood() -> None:
    for page in PAGES:
        markers = [line for line in page.read_text().splitlines() if line.startswith("<!-- example:")]
        assert len(_FENCE.findall(page.read_text())) == len(markers), page


@pytest.mark.parametrize("page, name", EXAMPLES, ids=[f"{page.stem}-{name}" for page, name in EXAMPLES])
def test_the_output_is_what_the_page_says(page: Path, name: str, tmp_path: Path, databases: Databases) -> None:
    example = examples_of(page)[name]
    url = databases.copy_of("legacy", _load_legacy) if example.start == "legacy" else databases.create()
    folder = tmp_path / "shop"
    folder.mkdir()
    if example.start == "legacy":
        (folder / "packages").symlink_to(ROOT / "packages")
    reader = Reader(folder, _environment(databases, url))
    for fence in example.fences:
        if fence["file"]:
            reader.write(fence["file"], fence["body"])
            continue
        for command, said in commands_of(fence["body"]):
            assert_like(said, reader.type(command), f"{page.relative_to(ROOT)}: $ {command}")


class Reader:
    """Somebody who types what a page says."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.code = 0

    def write(self, path: str, text: str) -> None:
        """Save a file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def type(self, command: str) -> str:
        """Type a command; what is then on the screen."""
        if command.startswith("export "):
            for word in shlex.split(command)[1:]:
                name, _, value = word.partition("=")
                self.environment[name] = value
            return ""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.code}); {command}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder,
            env=self.environment,
        )
        self.code = done.returncode
        return done.stdout


def commands_of(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console fence, with the output that follows it."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    assert not parts[0].strip(), f"output without a command: {parts[0]!r}"
    yield from zip(parts[1::2], parts[2::2], strict=True)


def assert_like(expected: str, found: str, where: str) -> None:
    """Fail where the output is not what the page shows."""
    expected, found = _settled(expected), _settled(found)
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else r"[^\n]*?".join(map(re.escape, line.split("…"))) + "\n"
        for line in expected.splitlines()
    )
    if not re.fullmatch(pattern, found):
        pytest.fail(f"{where}\n--- the page says\n{expected}--- it is\n{found}", pytrace=False)


def _settled(text: str) -> str:
    for varying, fixed in _VARIES:
        text = varying.sub(fixed, text)
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _load_legacy(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(LEGACY.read_bytes())


def _environment(databases: Databases, url: str) -> dict[str, str]:
    newest = max(trueup.find_installations(), key=lambda one: one.major)
    path = [str(Path(sys.executable).parent), os.environ["PATH"], str(newest.bin_dir)]
    return clean_environment(
        PATH=os.pathsep.join(path),
        DATABASE_URL=url,
        TRUEUP_SCRATCH_URL=databases.server_url,
        LC_ALL="C.UTF-8",
        PSQLRC=os.devnull,
    )
