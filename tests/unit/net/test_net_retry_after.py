from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.net.retry_after import retry_after_seconds

NOW = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)
CASES = {
    "absent": ({}, None),
    "seconds": ({"retry-after": "2"}, 2.0),
    "fraction": ({"retry-after": "0.5"}, 0.5),
    "space": ({"retry-after": " 7 "}, 7.0),
    "zero": ({"retry-after": "0"}, 0.0),
    "negative": ({"retry-after": "-5"}, 0.0),
    "huge": ({"retry-after": "1000000000"}, 3600.0),
    "more digits than a float": ({"retry-after": "9" * 400}, 3600.0),
    "milliseconds": ({"retry-after-ms": "1700"}, 1.7),
    "milliseconds first": ({"retry-after-ms": "1700", "retry-after": "2"}, 1.7),
    "bad milliseconds": ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
    "negative milliseconds": ({"retry-after-ms": "-1"}, 0.0),
    "date": ({"retry-after": "Mon, 05 Jan 2026 09:00:30 GMT"}, 30.0),
    "date with offset": ({"retry-after": "Mon, 05 Jan 2026 10:00:30 +0100"}, 30.0),
    "date without zone": ({"retry-after": "Mon, 05 Jan 2026 09:00:30 -0000"}, 30.0),
    "past date": ({"retry-after": "Mon, 05 Jan 2026 08:00:00 GMT"}, 0.0),
    "far date": ({"retry-after": "Mon, 05 Jan 2099 08:00:00 GMT"}, 3600.0),
    "date by the upstream's clock": (
        {
            "retry-after": "Mon, 05 Jan 2026 15:00:10 GMT",
            "date": "Mon, 05 Jan 2026 15:00:00 GMT",
        },
        10.0,
    ),
    "date beside a senseless one": (
        {"retry-after": "Mon, 05 Jan 2026 09:00:30 GMT", "date": "today"},
        30.0,
    ),
    "impossible date": ({"retry-after": "Mon, 45 Jan 2026 09:00:30 GMT"}, None),
    "year out of range": ({"retry-after": "Mon, 05 Jan 99999 09:00:30 GMT"}, None),
    "word": ({"retry-after": "soon"}, None),
    "not a number": ({"retry-after": "nan"}, None),
    "infinite": ({"retry-after": "inf"}, None),
    "other digits": ({"retry-after": "١٢"}, None),
    "empty": ({"retry-after": ""}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), CASES.values(), ids=CASES)
def test_the_wait_is_read_and_kept_within_an_hour(headers, seconds):
    assert retry_after_seconds(headers, NOW) == seconds


@given(
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()
    )
)
def test_no_header_breaks_it(headers):
    seconds = retry_after_seconds(headers, NOW)

    assert seconds is None or 0.0 <= seconds <= 3600.0
