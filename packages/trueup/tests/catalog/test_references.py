import pytest

from trueup.catalog.references import ForeignKey, foreign_key, unique_columns


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("FOREIGN KEY (a) REFERENCES public.t(id) ON DELETE CASCADE", ForeignKey(("a",), "public.t", ("id",))),
        ("FOREIGN KEY (a, b) REFERENCES t(x, y) MATCH FULL", ForeignKey(("a", "b"), "t", ("x", "y"))),
        (
            'FOREIGN KEY ("a, (b)", c) REFERENCES "my (schema)"."t "" u"("x)", "y.z")',
            ForeignKey(('"a, (b)"', "c"), '"my (schema)"."t "" u"', ('"x)"', '"y.z"')),
        ),
        (
            "FOREIGN KEY (a, PERIOD during) REFERENCES s.t(id, PERIOD p)",
            ForeignKey(("a", "during"), "s.t", ("id", "p")),
        ),
        ("CHECK ((a > 0))", None),
    ],
)
def test_a_foreign_key_is_read(value: str, wanted: ForeignKey | None) -> None:
    assert wanted == foreign_key(value)


@pytest.mark.parametrize(
    "value, wanted",
    [
        ('PRIMARY KEY (id, "Other, (one)")', ("id", '"Other, (one)"')),
        ("UNIQUE NULLS NOT DISTINCT (a)", ("a",)),
        ("UNIQUE (a) INCLUDE (b) DEFERRABLE", ("a",)),
        ('UNIQUE ON public."my table" USING btree (a, b) INCLUDE (c)', ("a", "b")),
        ("UNIQUE ON t USING btree (a) WHERE (b IS NULL)", ()),
        ("UNIQUE ON t USING btree (lower(a))", ()),
        ("ON t USING btree (a)", ()),
    ],
)
def test_a_unique_key_is_read_where_it_is_of_columns_alone(value: str, wanted: tuple[str, ...]) -> None:
    assert wanted == unique_columns(value)
