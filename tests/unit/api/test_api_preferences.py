"""The header `Prefer`: what is known of it is heeded, all else counts for nothing."""

import pytest

from flaskllm.api.v1.preferences import Preferences, preferences_of
from flaskllm.core.errors import InvalidInputError


@pytest.mark.parametrize(
    ("header", "is_async", "wait_seconds", "applied"),
    [
        ("", False, None, None),
        ("return=minimal", False, None, None),
        ("respond-async", True, None, "respond-async"),
        ("Respond-Async", True, None, "respond-async"),
        ("wait=0", False, 0, "wait=0"),
        ("wait=10", False, 10, "wait=10"),
        ('wait="10"', False, 10, "wait=10"),
        ("wait=25", False, 25, "wait=25"),
        ("wait=26", False, 25, "wait=25"),
        (f"wait={'9' * 5000}", False, 25, "wait=25"),
        ("respond-async, wait=5", True, 5, "respond-async, wait=5"),
        ("wait=5; x=y, handling=lenient", False, 5, "wait=5"),
        ('x="a, respond-async"', False, None, None),
        (",, ;=", False, None, None),
    ],
)
def test_what_is_known_is_heeded(header, is_async, wait_seconds, applied):
    preferences = preferences_of(header)

    assert preferences == Preferences(is_async, wait_seconds)
    assert preferences.applied().get("Preference-Applied") == applied


@pytest.mark.parametrize("header", ["wait", "wait=", "wait=-1", "wait=1.5", "wait=٣"])
def test_a_time_that_is_none_is_refused(header):
    with pytest.raises(InvalidInputError) as refused:
        preferences_of(header)

    assert [each.path for each in refused.value.fields] == ["Prefer"]


def test_two_headers_are_one_list(client, bearer, services):
    headers = [*bearer("webhook").items(), ("Prefer", "x=y"), ("Prefer", "wait=0")]

    reply = client.post("/api/v1/webhook", json={"prompt": "x"}, headers=headers)

    assert reply.status_code == 202
    assert reply.headers["Preference-Applied"] == "wait=0"
    assert services.digests.orders == []
