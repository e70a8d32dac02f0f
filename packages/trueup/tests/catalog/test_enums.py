from __future__ import annotations

import pytest

from trueup.catalog.enums import has_all, is_part_of, labels, merged

pytestmark = pytest.mark.unit


def test_labels_keep_their_quotes_and_order() -> None:
    assert ["'a'", "'it''s'", "'b, c'"] == labels("'a', 'it''s', 'b, c'")


def test_a_later_label_that_is_there_makes_no_stranger() -> None:
    assert is_part_of("'a', 'c'", "'a', 'b', 'c'")
    assert not is_part_of("'c', 'a'", "'a', 'b', 'c'")
    assert not is_part_of("'a', 'x'", "'a', 'b', 'c'")


def test_missing_labels_go_where_the_chain_has_them() -> None:
    assert "'a', 'b', 'c'" == merged("'a', 'c'", "'a', 'b'")
    assert "'a', 'c'" == merged("'c'", "'a'")
    assert has_all("'a', 'b', 'c'", "'b'")
    assert not has_all("'a'", "'a', 'b'")
