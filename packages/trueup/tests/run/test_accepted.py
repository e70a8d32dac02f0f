"""The committed file of accepted drift."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.decide.model import Difference
from trueup.errors import UsageError
from trueup.run.accepted import ACCEPTED_NAME, accept, split_accepted

pytestmark = pytest.mark.unit

WIDER = Difference(fact="column public.leads.email", wanted="character varying(255)", found="character varying(320)")
MISSING = Difference(fact='index public."odd ""name"".idx"', wanted="ON public.leads USING btree (x)", found=None)
ODD = Difference(fact="default public.a.b", wanted=None, found="'שלום\\n\"x\"\n\t'::text")


def test_nothing_is_accepted_without_a_file(tmp_path: Path) -> None:
    assert ([WIDER, MISSING], []) == split_accepted(tmp_path, [WIDER, MISSING])


def test_what_was_accepted_no_longer_counts(tmp_path: Path) -> None:
    accept(tmp_path, [WIDER, MISSING, ODD], "known since 2019")

    assert ([], [WIDER, MISSING, ODD]) == split_accepted(tmp_path, [WIDER, MISSING, ODD])


def test_another_value_is_drift_again(tmp_path: Path) -> None:
    accept(tmp_path, [WIDER], "known")
    text = Difference(fact=WIDER.fact, wanted=WIDER.wanted, found="text")
    gone = Difference(fact=WIDER.fact, wanted=WIDER.wanted, found=None)

    assert ([text, gone], []) == split_accepted(tmp_path, [text, gone])


def test_the_file_is_for_people_and_for_diffs(tmp_path: Path) -> None:
    path = accept(tmp_path, [MISSING], "not needed here")
    accept(tmp_path, [WIDER], 'the "old" import')

    assert tmp_path / ACCEPTED_NAME == path
    text = path.read_text()
    assert text.index("column public.leads.email") < text.index("index public.")
    assert 'because = "the \\"old\\" import"' in text
    assert 'because = "not needed here"' in text


def test_a_second_word_on_a_fact_replaces_the_first(tmp_path: Path) -> None:
    accept(tmp_path, [WIDER], "first")
    path = accept(tmp_path, [WIDER], "second")

    assert 1 == path.read_text().count("[[accept]]")
    assert "second" in path.read_text()


@pytest.mark.parametrize("text", ["[[accept", "[[accept]]\nbecause = 'no fact'", "accept = 5"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / ACCEPTED_NAME).write_text(text)

    with pytest.raises(UsageError, match=ACCEPTED_NAME):
        split_accepted(tmp_path, [WIDER])
