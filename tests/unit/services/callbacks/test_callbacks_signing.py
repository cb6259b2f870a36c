"""Signatures are those of Standard Webhooks 1.0.0, to the byte."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from flaskllm.core.errors import InvalidInputError
from flaskllm.services.callbacks.signing import (
    check_secret,
    headers_of,
    key_of,
    make_secret,
)

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())

# As the reference libraries of the specification have them in their own tests.
PUBLISHED = [
    pytest.param(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        id="libraries",
    ),
    pytest.param(
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1649367553,
        b'{"email":"test@example.com","username":"test_user"}',
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        id="documentation",
    ),
]


def secret_of(count: int) -> str:
    return f"whsec_{b64encode(bytes(range(count))).decode()}"


@pytest.mark.parametrize(("secret", "id", "seconds", "body", "expected"), PUBLISHED)
def test_published_vectors_are_met(secret, id, seconds, body, expected):
    headers = headers_of(id, seconds, body, [secret])

    assert headers["webhook-signature"] == expected
    assert headers["webhook-id"] == id
    assert headers["webhook-timestamp"] == str(seconds)


@pytest.mark.parametrize("body", [b"{}", '{"name":"Grüße ✓"}'.encode(), b'"x"' * 9000])
def test_the_reference_library_signs_the_same_and_accepts_ours(body):
    secret = make_secret()

    headers = headers_of("msg_1", SECONDS, body, [secret])

    theirs = Webhook(secret).sign("msg_1", NOW, body.decode())
    assert headers["webhook-signature"] == theirs
    with time_machine.travel(NOW, tick=False):
        Webhook(secret).verify(body, dict(headers), json_parse=False)


def test_both_secrets_of_a_rotation_are_accepted_and_a_third_is_not():
    new, old, other = make_secret(), make_secret(), make_secret()

    headers = dict(headers_of("msg_1", SECONDS, b"{}", [new, old]))

    assert headers["webhook-signature"].count(" ") == 1
    with time_machine.travel(NOW, tick=False):
        Webhook(new).verify(b"{}", headers)
        Webhook(old).verify(b"{}", headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(b"{}", headers)


@pytest.mark.parametrize(
    ("body", "changed", "late"),
    [
        pytest.param(b"[]", {}, 0, id="body"),
        pytest.param(b"{}", {"webhook-id": "msg_2"}, 0, id="id"),
        pytest.param(b"{}", {"webhook-timestamp": str(SECONDS + 1)}, 0, id="time"),
        pytest.param(b"{}", {}, 301, id="301 s old"),
        pytest.param(b"{}", {}, -301, id="301 s new"),
    ],
)
def test_what_was_tampered_with_is_not_accepted(body, changed, late):
    secret = make_secret()
    headers = {**headers_of("msg_1", SECONDS, b"{}", [secret]), **changed}

    with (
        time_machine.travel(NOW + timedelta(seconds=late), tick=False),
        pytest.raises(WebhookVerificationError),
    ):
        Webhook(secret).verify(body, headers)


def test_an_id_with_a_full_stop_is_not_signed():
    with pytest.raises(ValueError, match="full stop"):
        headers_of("msg_1.2", SECONDS, b"{}", [make_secret()])


def test_a_new_secret_has_32_bytes_and_is_like_no_other():
    one, other = make_secret(), make_secret()

    assert len(key_of(one)) == 32
    assert one != other


@pytest.mark.parametrize("count", [24, 64])
def test_a_given_secret_of_24_to_64_bytes_is_taken(count):
    assert check_secret(secret_of(count)) == secret_of(count)


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        pytest.param(secret_of(23), "23 bytes", id="short"),
        pytest.param(secret_of(65), "65 bytes", id="long"),
        pytest.param(secret_of(32)[6:], "whsec_", id="no prefix"),
        pytest.param("whsec_" + "-_" * 20, "base64", id="another alphabet"),
        pytest.param("whsec_grüßeausberlinundvonderelbe", "base64", id="no ASCII"),
        pytest.param("whsec_", "0 bytes", id="empty"),
    ],
)
def test_what_is_no_secret_is_refused_by_name_and_not_shown(secret, told):
    with pytest.raises(InvalidInputError) as refused:
        check_secret(secret)

    (field,) = refused.value.fields
    assert field.path == "secret"
    assert told in field.problem
    secret_part = secret.removeprefix("whsec_")
    assert not secret_part or secret_part not in refused.value.details
