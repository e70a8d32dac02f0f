"""The typed report and its JSON."""

from __future__ import annotations

import pytest

from trueup import Report, StepReport
from trueup.decide.model import Conflict, Difference
from trueup.report import PartReport

pytestmark = pytest.mark.unit

DRIFT = Difference(fact="column public.a.x", wanted="text", found=None, origin="1_a_table")

PART = PartReport(statements=["SELECT 1"], locks={"public.t": {"mode": "AE", "rows": 7, "bytes": 8192}}, why="so")
PARTS = [
    {
        "statements": ["SELECT 1"],
        "locks": {"public.t": {"mode": "AE", "rows": 7, "bytes": 8192}},
        "why": "so",
        "transaction": True,
    }
]


def test_true_is_up_to_date_without_drift() -> None:
    assert Report(chain="shop", up_to_date=True).true
    assert not Report(chain="shop", up_to_date=True, drift=[DRIFT]).true
    assert not Report(chain="shop", up_to_date=False).true
    assert Report(chain="shop", up_to_date=True, accepted=[DRIFT]).true


def test_the_document_has_every_member() -> None:
    report = Report(
        chain="shop",
        anchor={"step": "1_a_table", "index": 1, "of": 2, "distance": 0},
        steps=[
            StepReport(
                id="2_b", verdict="run", reason="nothing of it is there", statements=["SELECT 1"], parts=[PART], ms=1.26
            )
        ],
        drift=[DRIFT],
        gone=[DRIFT],
        conflicts=[Conflict(about="2_b", why="half", differences=(DRIFT,), hint="Mend it.")],
        to="2_b",
        ms=12.34,
    )

    assert {
        "chain": "shop",
        "topology": "direct",
        "chosen": "DATABASE_URL",
        "to": "2_b",
        "anchor": {"step": "1_a_table", "index": 1, "of": 2, "distance": 0},
        "steps": [
            {
                "id": "2_b",
                "verdict": "run",
                "reason": "nothing of it is there",
                "statements": ["SELECT 1"],
                "parts": PARTS,
                "ms": 1.3,
            }
        ],
        "drift": [{"fact": "column public.a.x", "wanted": "text", "found": None, "origin": "1_a_table"}],
        "accepted": [],
        "gone": [{"fact": "column public.a.x", "wanted": "text", "found": None, "origin": "1_a_table"}],
        "conflicts": [
            {
                "about": "2_b",
                "why": "half",
                "differences": [{"fact": "column public.a.x", "wanted": "text", "found": None, "origin": "1_a_table"}],
                "hint": "Mend it.",
            }
        ],
        "up_to_date": False,
        "true": False,
        "ms": 12.3,
    } == report.to_json()


def test_what_was_sent() -> None:
    quiet = StepReport(id="1_a", verdict="reconcile", reason="its effect is there")
    loud = StepReport(id="2_b", verdict="run", reason="nothing of it is there", statements=["SELECT 1"])

    assert [loud] == Report(chain="shop", steps=[quiet, loud]).sent
