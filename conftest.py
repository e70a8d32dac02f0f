"""What holds for the tests of both packages: with CI set, a skip that is not expected fails the run."""

from __future__ import annotations

import os

import pytest

_EXPECTED = (
    "only root's servers run as another account",
    "the log of a server that is not ours cannot be read",
)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that is quietly left out shows nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2])
        if not any(expected in reason for expected in _EXPECTED):
            reporter.write_line(f"\nunexpected skip: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
