"""Identity numbers are known by their check digits where they have one."""

import pytest

from flaskllm.core.sensitive_ids import find_national_ids

IDS = {
    "de": ["86095742719", "47 036 892 816", "65929970489"],
    "fr": [
        "2 55 08 14 168 025 38",
        "255081416802538",
        "1 84 12 2A 451 089 33",
        "1 84 12 2B 451 089 60",
    ],
    "es": ["12345678Z", "12.345.678-Z", "X1234567L", "Y-1234567-X", "00000000t"],
    "it": ["RSSMRA85T10A562S", "rss mra 85t10 a562s", "MRTMTT91D08F205J"],
    "uk": ["AB 12 34 56 C", "JG103759A"],
    "us": ["123-45-6789", "078 05 1120"],
}
NO_IDS = [
    "86095742718",  # the check digit is wrong
    "12345678903",  # no digit stands twice
    "11111111111",
    "06095742719",
    "2 55 08 14 168 025 39",
    "2 55 13 14 168 025 38",  # there is no such month
    "12345678A",
    "X1234567A",
    "RSSMRA85T10A562T",
    "BG 12 34 56 C",  # never given out
    "QQ123456C",
    "AB 12 34 56 E",
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "123-00-6789",
    "123-45-0000",
    "123 45-6789",
    "123456789",
    "86095742719.50",
    "Nr. 3.86095742719",
]


@pytest.mark.parametrize("number", [each for ids in IDS.values() for each in ids])
@pytest.mark.parametrize("around", ["{}", "ID: {}, thanks.", "({})"])
def test_an_identity_number_is_found(number, around):
    text = around.format(number)

    spans = list(find_national_ids(text))

    assert [text[start:end] for start, end in spans] == [number]


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_none_is_not_found(text):
    assert list(find_national_ids(text)) == []
