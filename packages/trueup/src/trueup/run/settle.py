"""Marks of steps that send nothing, and when they are written."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.decide.model import NOTHING_SHOWS
from trueup.planning.model import Plan
from trueup.report import Report

_TOLD = 3  # steps

Row = tuple[int, str, str]
"""A step's index, its verdict and the reason for it."""


def at_once(plan: Plan, *, own: bool) -> list[Row]:
    """Those that are written before anything is sent; `own`: the ledger has marks of trueup's own."""
    early = set(_early(plan, own=own))
    return [row for row in _all(plan) if row not in early]


def in_the_end(plan: Plan, *, own: bool) -> list[Row]:
    """Those that are written when all before them has run."""
    return list(_early(plan, own=own))


def _early(plan: Plan, *, own: bool) -> Iterator[Row]:
    """What is there early. A mark would say of a step before it in its file, should that fail now, that it has run."""
    first = min((action.step for action in plan.actions if action.step is not None), default=len(plan.decision.steps))
    for index, verdict, reason in _all(plan):
        if verdict == "reconcile" and index > first and (own or index >= plan.decision.anchor):
            yield index, verdict, reason


def _all(plan: Plan) -> Iterator[Row]:
    settled = set(plan.settled)
    return ((v.index, v.verdict, v.reason) for v in plan.decision.steps if v.index in settled)


def taken_as_done(report: Report) -> str:
    """A line for people about the data steps that are only taken as done; empty where there is none.

    Those of which nothing shows whether they have run come first: if they have not, that is the time to know.
    """
    assumed = [step for step in report.steps if step.verdict == "assume"]
    told = [step.id for step in sorted(assumed, key=lambda step: step.reason != NOTHING_SHOWS)]
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return f"Taken as done: {', '.join(told[:_TOLD])}{more}; `trueup history` says why" if told else ""
