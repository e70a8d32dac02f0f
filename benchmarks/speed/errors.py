"""What ends the benchmark early."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The measurement cannot be made; the message says why and what to do."""


class MissingToolError(BenchmarkError):
    """A command to be measured is not there."""


class UnusableServerError(BenchmarkError):
    """The server to measure on is not there or not fit."""


class ToolFailedError(BenchmarkError):
    """A tool ended with an error, or did not do what it was asked to do: its time would mean nothing."""
