"""Write the lock file of the job queue's chain: its SQL comes from the installed package, the lock file is ours.

Run it when `procrastinate` is upgraded: `.venv/bin/python scripts/lock_queue.py`, with `--check` to only compare.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from prosaas.schema.chains import LOCK_NAME, QUEUE_LOCK, write_queue_chain


def main() -> int:
    """Lock, or compare; the exit code is trueup's."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "procrastinate" / "migrations"
        write_queue_chain(folder)
        trueup = Path(sys.executable).with_name("trueup")
        done = subprocess.run([trueup, "--migrations", folder, "lock", *sys.argv[1:]], check=False)
        if done.returncode == 0 and "--check" not in sys.argv:
            shutil.copyfile(folder / LOCK_NAME, QUEUE_LOCK)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
