"""Identifiers: the codes that name one thing only, and how spellings compare."""

import pytest

from flaskllm.core import entities


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pay INV-2024-17 now", ("INV-2024-17",)),
        ("CANARY-DEV-201.", ("CANARY-DEV-201",)),
        ("see TOP-SECRET and AB12CD34EF", ("TOP-SECRET", "AB12CD34EF")),
        ("COVID-19 in Q3 for B2B", ()),
        ("a 10-year-old, mid-2026, covid-19-test", ()),
        ("PROGRAMME at 2026-10-09, 1,250.00 EUR", ()),
        ("", ()),
    ],
)
def test_an_identifier_is_in_capitals_mixed_and_long(text, found):
    assert entities.identifiers(text) == found


def test_spellings_compare_by_letters_and_digits_alone():
    assert entities.squeeze("inv 2024/17") == entities.squeeze("INV-2024-17")
    assert entities.squeeze("Straße 1") == "STRASSE1"
