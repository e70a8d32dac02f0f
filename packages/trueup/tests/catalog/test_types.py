import pytest

from trueup.catalog.types import widens, widens_in_place


@pytest.mark.parametrize(
    "found, wanted",
    [
        ("character varying(20)", "character varying(255)"),
        ("character varying(20)", "character varying"),
        ("character varying", "text"),
        ("character varying(20)", "text"),
        ("integer", "bigint"),
        ("numeric(5,2)", "numeric(10,2)"),
        ("numeric(5,2)", "numeric"),
        ("timestamp(3) without time zone", "timestamp(6) without time zone"),
        ("timestamp(3) without time zone", "timestamp without time zone"),
    ],
)
def test_a_type_that_holds_all_values_of_another(found: str, wanted: str) -> None:
    assert widens(found, wanted)
    assert not widens(wanted, found)


@pytest.mark.parametrize(
    "found, wanted",
    [
        ("character varying(20)", "character varying(10)"),
        ("numeric(5,2)", "numeric(10,4)"),
        ("timestamp(3) without time zone", "timestamp(3) with time zone"),
        ("timestamp without time zone", "timestamp with time zone"),
        ("json", "jsonb"),
        ("character(3)", "character(5)"),
        ("text", "integer"),
        ("integer", "text"),
        ("public.mood", "public.other"),
    ],
)
def test_a_type_that_does_not(found: str, wanted: str) -> None:
    assert not widens(found, wanted)


def test_only_texts_grow_without_a_rewrite() -> None:
    assert widens_in_place("character varying(20)", "text")
    assert not widens_in_place("integer", "bigint")
    assert not widens_in_place("text", "character varying")
