"""Bad input: a clear error that names the field, no 5xx, and quiet logs."""

import json

import pytest

from flaskllm.core.auth import Scope

CANARY = "mailcanary"
TEXT = f"Please call {CANARY} on Friday, 9 October."
MAIL = f"""From: Ada <ada@example.com>
To: Ben <ben@example.org>
Subject: Call
Date: Mon, 05 Oct 2026 09:00:00 +0200

{TEXT}
"""
MEBIBYTE = 1024 * 1024


@pytest.fixture
def plain(make_gateway):
    """A gateway without a model."""
    return make_gateway()


def refused(answer, code, field=None):
    """Assert what every refusal of a request has, and return its body."""
    body = answer.get_json()
    assert 400 <= answer.status_code < 500, answer.text
    assert body["code"] == code
    assert body["error"].endswith(".")
    assert body["details"] or code == "NOT_FOUND"
    if field is not None:
        assert [each["path"] for each in body["fields"]] == [field], body
        assert field in body["details"]
        assert body["fields"][0]["problem"]
    assert set(body) <= {"error", "details", "code", "fields"}
    return body


class TestCallers:
    def headers(self, gateway, kind):
        return {
            "none": {},
            "wrong": {"Authorization": "Bearer wrong"},
            "basic": {"Authorization": "Basic YTpi"},
            "under-scoped": {
                "Authorization": f"Bearer {gateway.make_token(Scope.READ)}"
            },
        }[kind]

    @pytest.mark.parametrize(
        ("kind", "status", "code", "mend"),
        [
            ("none", 401, "AUTHENTICATION_ERROR", "Authorization: Bearer"),
            ("wrong", 401, "AUTHENTICATION_ERROR", "Authorization: Bearer"),
            ("basic", 401, "AUTHENTICATION_ERROR", "Authorization: Bearer"),
            ("under-scoped", 403, "PERMISSION_DENIED", "webhook"),
        ],
    )
    def test_who_may_not_is_told_what_is_needed(self, plain, kind, status, code, mend):
        answer = plain.client.post(
            "/api/v1/webhook", json={"prompt": TEXT}, headers=self.headers(plain, kind)
        )

        body = refused(answer, code)
        assert answer.status_code == status
        assert mend in body["details"]
        assert CANARY not in plain.log


FIELDS = {
    "no prompt": ({"source": "email"}, "prompt"),
    "an empty prompt": ({"prompt": ""}, "prompt"),
    "a blank prompt": ({"prompt": " \n\t"}, "prompt"),
    "a prompt that is a list": ({"prompt": [TEXT]}, "prompt"),
    "a prompt that is null": ({"prompt": None}, "prompt"),
    "an unknown type": ({"type": "poem"}, "type"),
    "a type in capitals": ({"type": "SUMMARY"}, "type"),
    "an unknown source": ({"source": "fax"}, "source"),
    "an unknown language": ({"language": "xx"}, "language"),
    "a long language": ({"language": "english"}, "language"),
    "an unknown form": ({"response_format": "pdf"}, "response_format"),
    "an unknown model": ({"model": "nobody"}, "model"),
    "a long model": ({"model": "m" * 300}, "model"),
    "an unknown template": ({"template": "nowhere"}, "template"),
    "a template of another type": ({"template": "keywords"}, "template"),
    "variables that are text": ({"variables": "a"}, "variables"),
    "an unknown variable": ({"variables": {"colour": "x"}}, "variables.colour"),
    "a variable of ours": ({"variables": {"language": "x"}}, "variables.language"),
    "a long variable": (
        {"variables": {"instructions": "x" * 2001}},
        "variables.instructions",
    ),
    "a variable that is a list": (
        {"variables": {"instructions": ["x"]}},
        "variables.instructions",
    ),
    "labels missing": ({"type": "classification"}, "variables.labels"),
    "one label": (
        {"type": "classification", "variables": {"labels": ["a"]}},
        "variables.labels",
    ),
    "labels of nothing": (
        {"type": "classification", "variables": {"labels": [{}, None]}},
        "variables.labels",
    ),
    "schema missing": ({"type": "custom"}, "variables.schema"),
    "a schema of a list": (
        {"type": "custom", "variables": {"schema": {"type": "array"}}},
        "variables.schema",
    ),
    "a schema that fetches": (
        {
            "type": "custom",
            "variables": {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"$ref": "http://127.0.0.1/x"}},
                }
            },
        },
        "variables.schema",
    ),
    "a translation to nowhere": ({"type": "translation"}, "language"),
    "a time without an offset": (
        {"reference_time": "2026-10-05T09:00:00"},
        "reference_time",
    ),
    "a time that is none": ({"reference_time": "yesterday"}, "reference_time"),
    "a day that is none": (
        {"reference_time": "2026-02-30T09:00:00Z"},
        "reference_time",
    ),
    "a time that is a number": ({"reference_time": 1767603600}, "reference_time"),
    "an unknown timezone": ({"timezone": "Mars/Olympus"}, "timezone"),
    "a timezone that climbs": ({"timezone": "../../etc/passwd"}, "timezone"),
    "participants that are text": ({"participants": "Ada"}, "participants"),
    "metadata that is a list": ({"metadata": []}, "metadata"),
    "a callback that all can read": (
        {"callback_url": "http://example.com/x"},
        "callback_url",
    ),
}


class TestFields:
    @pytest.mark.parametrize(("change", "field"), FIELDS.values(), ids=FIELDS)
    def test_a_wrong_field_is_named_with_the_mend(
        self, gateway, upstream, change, field
    ):
        base = {} if "prompt" not in change and field == "prompt" else {"prompt": TEXT}
        answer = gateway.post({**base, **change})

        body = refused(answer, "INVALID_INPUT", field)
        assert answer.status_code == 400
        assert len(answer.data) < 4096
        assert upstream.requests == []
        assert CANARY not in gateway.log
        assert CANARY not in json.dumps(body)

    @pytest.mark.parametrize(
        ("change", "allowed"),
        [
            ({"type": "poem"}, "action_items"),
            ({"source": "fax"}, "meeting"),
            ({"language": "xx"}, "ISO 639-1"),
            ({"model": "nobody"}, "scripted"),
            ({"template": "nowhere"}, "classification"),
            ({"template": "keywords"}, "summary"),
            ({"response_format": "pdf"}, "markdown"),
            ({"timezone": "Mars/Olympus"}, "Europe/Berlin"),
            ({"reference_time": "yesterday"}, "RFC 3339"),
            ({"variables": {"colour": "x"}}, "instructions"),
        ],
    )
    def test_the_mend_lists_what_is_allowed(self, gateway, change, allowed):
        body = gateway.post({"prompt": TEXT, **change}).get_json()

        assert allowed in body["fields"][0]["allowed"]
        assert allowed in body["details"]

    def test_several_wrong_fields_are_told_together(self, gateway):
        wrong = {"prompt": 7, "type": "poem", "language": "xx", "timezone": "Mars"}

        body = gateway.post(wrong).get_json()

        assert {each["path"] for each in body["fields"]} == set(wrong)

    def test_unknown_fields_are_warnings(self, plain):
        answer = plain.post({"prompt": TEXT, "colour": "red", "prio": 1})

        warnings = answer.get_json()["meta"]["warnings"]
        assert answer.status_code == 200
        assert [line for line in warnings if line.startswith("unknown_field")] == [
            "unknown_field: colour",
            "unknown_field: prio",
        ]

    def test_the_same_fields_are_checked_in_the_query_of_a_raw_body(self, plain):
        answer = plain.post(MAIL.encode(), "message/rfc822", type="poem")

        refused(answer, "INVALID_INPUT", "type")

    def test_the_prompt_may_not_hide_in_the_log_of_a_refusal(self, plain):
        plain.post({"prompt": TEXT, "type": CANARY})
        plain.post(MAIL.encode(), "message/rfc822", type=CANARY, model=CANARY)
        plain.post(TEXT.encode(), "application/x-canary")

        assert plain.events("request_answered")
        assert CANARY not in plain.log


def nested_mail(depth):
    parts = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"
        for n in range(depth)
    )
    return f"From: a@example.com\nSubject: x\nMIME-Version: 1.0\n{parts}\n\n{TEXT}"


DOCUMENTS = {
    "an empty body": (b"", "message/rfc822", 400, "INVALID_INPUT"),
    "white space": (b" \r\n\r\n ", "text/plain", 400, "INVALID_INPUT"),
    "a mail that is no mail": (b"hello world", "message/rfc822", 400, "INVALID_INPUT"),
    "zeros as a mail": (b"\x00" * 100, "message/rfc822", 400, "INVALID_INPUT"),
    "no cue": (b"WEBVTT\n\nNOTE nothing\n", "text/vtt", 400, "INVALID_INPUT"),
    "no cue in an SRT": (b"hello\n", "application/x-subrip", 400, "INVALID_INPUT"),
    "no event": (b"BEGIN:VCALENDAR", "text/calendar", 400, "INVALID_INPUT"),
    "a picture": (b"\x89PNG", "image/png", 415, "UNSUPPORTED_MEDIA_TYPE"),
    "a form of fields": (b"a=b", "application/x-www-form-urlencoded", 415, None),
    "no type at all": (b"hello", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
    "a type that is none": (b"hello", "nonsense", 415, "UNSUPPORTED_MEDIA_TYPE"),
    "20 MB of JSON": (
        b'{"prompt": "' + b"x" * 20 * MEBIBYTE + b'"}',
        "application/json",
        413,
        "PAYLOAD_TOO_LARGE",
    ),
    "20 MB of mail": (
        MAIL.encode() + b"x" * 20 * MEBIBYTE,
        "message/rfc822",
        413,
        "PAYLOAD_TOO_LARGE",
    ),
}
MENDED = {
    "1,500 nested parts": (nested_mail(1500).encode(), "message/rfc822"),
    "an unknown charset": (
        MAIL.replace("Date:", "Content-Type: text/plain; charset=x-nonsense\nDate:"),
        "message/rfc822",
    ),
    "a charset that lies": (
        MAIL.replace("Date:", "Content-Type: text/plain; charset=us-ascii\nDate:")
        .replace("call", "cäll")
        .encode(),
        "message/rfc822",
    ),
    "an unknown charset of the request": (
        TEXT.encode(),
        "text/plain; charset=x-nonsense",
    ),
    "an unknown transfer encoding": (
        MAIL.replace("Date:", "Content-Transfer-Encoding: x-nonsense\nDate:"),
        "message/rfc822",
    ),
    "base64 that is none": (
        MAIL.replace("Date:", "Content-Transfer-Encoding: base64\nDate:"),
        "message/rfc822",
    ),
    "a date that is none": (
        MAIL.replace("Mon, 05 Oct 2026", "Mon, 99 Foo 99999"),
        "message/rfc822",
    ),
    "a subject of two lines": (
        MAIL.replace("Subject: Call", "Subject: =?utf-8?q?x=0D=0ABcc:_y?="),
        "message/rfc822",
    ),
    "no body": (MAIL.partition("\n\n")[0] + "\n\n", "message/rfc822"),
    "bytes that are no text": (bytes(range(1, 256)) * 20, "text/plain"),
    "a cue without an end": (
        f"WEBVTT\n\n00:00:01.000 --> nonsense\n{TEXT}\n\n"
        f"00:00:01.000 --> 00:00:02.000\nAda: {TEXT}\n",
        "text/vtt",
    ),
}


class TestDocuments:
    @pytest.mark.parametrize(
        ("content", "media_type", "status", "code"), DOCUMENTS.values(), ids=DOCUMENTS
    )
    def test_what_cannot_be_read_is_refused_in_words(
        self, plain, content, media_type, status, code
    ):
        if media_type == "application/json":
            headers = {"Authorization": f"Bearer {plain.token}"}
            answer = plain.client.post(
                "/api/v1/webhook",
                data=content,
                content_type=media_type,
                headers=headers,
            )
        else:
            answer = plain.post(content, media_type)

        assert answer.status_code == status, answer.text
        body = refused(answer, code or "UNSUPPORTED_MEDIA_TYPE")
        if status == 415:
            assert "message/rfc822" in body["details"]
        if status == 413:
            assert str(10 * MEBIBYTE) in body["details"]

    @pytest.mark.parametrize(("content", "media_type"), MENDED.values(), ids=MENDED)
    def test_what_can_be_read_in_part_is_answered_with_a_warning_or_refused(
        self, plain, content, media_type
    ):
        sent = content.encode() if isinstance(content, str) else content

        answer = plain.post(sent, media_type)

        assert answer.status_code in (200, 400), answer.text
        assert CANARY not in plain.log
        assert "Traceback" not in plain.log
        if answer.status_code == 400:
            refused(answer, "INVALID_INPUT")

    def test_an_unknown_charset_is_told(self, plain):
        content, media_type = MENDED["an unknown charset"]

        answer = plain.post(content.encode(), media_type)

        warnings = answer.get_json()["meta"]["warnings"]
        assert answer.status_code == 200
        assert any(line.startswith("charset_unknown") for line in warnings)
        assert CANARY in answer.text

    def test_what_cannot_be_put_together_from_pieces_is_refused_before_it_costs(
        self, gateway, upstream
    ):
        schema = {"type": "object", "properties": {"title": {"type": "string"}}}
        asked = {"type": "custom", "variables": {"schema": schema}}

        answer = gateway.post({"prompt": f"{TEXT} " * 8_000, **asked})

        body = refused(answer, "INVALID_INPUT")
        assert [field["path"] for field in body["fields"]] == ["variables.schema"]
        assert upstream.requests == []

    @pytest.mark.no_cover
    def test_the_provider_without_a_model_has_no_window(self, plain):
        answer = plain.post({"prompt": f"{TEXT} " * 20_000})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "wanted", ["reply", "sentiment", "classification", "translation", "custom"]
    )
    def test_without_a_model_the_other_types_say_how_to_add_one(self, plain, wanted):
        needed = {
            "classification": {"variables": {"labels": ["a", "b"]}},
            "translation": {"language": "de"},
            "custom": {"variables": {"schema": {"type": "object"}}},
        }
        answer = plain.post({"prompt": TEXT, "type": wanted, **needed.get(wanted, {})})

        body = answer.get_json()
        assert answer.status_code == 503
        assert body["code"] == "NO_MODEL_CONFIGURED"
        assert "OPENAI_API_KEY" in body["details"]
