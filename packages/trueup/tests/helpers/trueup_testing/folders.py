"""Folders for servers that run as another account."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def enterable_folder() -> Iterator[Path]:
    """Like tmp_path, but every account may enter it, as a server's account must."""
    made = Path(tempfile.mkdtemp(prefix="trueup-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
