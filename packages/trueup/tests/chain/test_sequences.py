"""What statements set sequences to."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.chain.sequences import sequences_set

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "sql, sets",
    [
        ("SELECT setval('t_id_seq', 2)", [(("t_id_seq",), "2", False)]),
        ("SELECT pg_catalog.setval('public.\"T_seq\"'::regclass, 2, true)", [(("T_seq",), "2", False)]),
        (
            "SELECT setval(pg_get_serial_sequence('public.t', 'id'), 9999999999, false)",
            [(("t", "id"), "9999999999", True)],
        ),
        ("ALTER SEQUENCE t_id_seq RESTART WITH 7", [(("t_id_seq",), "7", True)]),
        ("ALTER TABLE t ALTER COLUMN id RESTART WITH 7", [(("t", "id"), "7", True)]),
        ("SELECT setval('t_id_seq', (SELECT max(id) FROM t))", []),
        ("SELECT setval('t_id_seq', 2), now()", []),
        ("ALTER SEQUENCE t_id_seq RESTART", []),
        ("ALTER SEQUENCE t_id_seq INCREMENT BY 2", []),
        ("ALTER TABLE t ALTER COLUMN id RESTART WITH 7, ADD COLUMN x int", []),
        ("SELECT 1", []),
    ],
)
def test_a_number_that_the_text_says(sql: str, sets: list[tuple[tuple[str, ...], str, bool]]) -> None:
    (statement,) = parse_statements(sql)

    assert sets == [(one.name, one.number, one.is_next) for one in sequences_set(statement)]
