"""Hostile bodies: costly JSON, costly forms, and what unfolds."""

import gzip
import json
import time

import pytest
from route_walk import bearer

WEBHOOK = "/api/v1/webhook"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def quiet(make_gateway):
    """A gateway without a model that never says 429."""
    return make_gateway(
        "limits: {authentication_failures_per_minute: 1000000, "
        "unauthenticated_per_minute: 1000000}\n"
    )


def ask(gateway, address, method="GET", token=None, **options):
    environ = options.pop("environ", {})
    if token:
        environ = {"HTTP_AUTHORIZATION": bearer(token), **environ}
    return gateway.client.open(
        address, method=method, environ_overrides=environ, **options
    )


class TestJson:
    """A3: JSON that costs more than it is worth, or that means two things."""

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"prompt": "x", "metadata": ' + b'{"a":' * 70 + b"1" + b"}" * 71,
            b'{"prompt": "x", "metadata": {"n": ' + b"9" * 5000 + b"}}",
            b'{"prompt": "x", "metadata": {"n": NaN}}',
            b'{"prompt": "x", "metadata": {"n": -Infinity}}',
            b'{"prompt": "x", "metadata": {"n": 1e400}}',
            b'{"prompt": "\\ud800"}',
            json.dumps({"prompt": "x"}).encode("utf-16"),
            b"\xef\xbb\xbf" + b'{"prompt": "x"}',
            b'{"prompt": "\xff"}',
            b"null",
            b"[]",
            b'"text"',
            b"7",
            b"",
            b"   ",
            b'{"prompt": "x"',
            b'{"prompt": "x"} {}',
            b"{'prompt': 'x'}",
            json.dumps({f"key-{n}": n for n in range(100_000)}).encode(),
            b'{"prompt": "x\x00\x01"}',
        ],
        ids=[
            "100,000 brackets",
            "100,000 pairs",
            "too deep",
            "5,000 digits",
            "NaN",
            "infinity",
            "1e400",
            "half a surrogate",
            "UTF-16",
            "byte order mark",
            "not UTF-8",
            "null",
            "list",
            "text",
            "number",
            "empty",
            "blank",
            "unfinished",
            "two values",
            "single quotes",
            "100,000 keys",
            "raw control characters",
        ],
    )
    def test_it_is_a_400_of_ours_and_cheap(self, quiet, body):
        began = time.process_time()
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            data=body,
            content_type="application/json",
        )

        assert answer.status_code == 400, answer.text
        assert answer.json["code"] == "INVALID_INPUT"
        assert len(answer.data) < 4096
        assert time.process_time() - began < 2.0

    def test_many_values_are_read_at_their_length(self, quiet):
        """They cost the gateway what they cost the caller: time in proportion."""
        body = json.dumps({"prompt": "Hi.", "metadata": {"list": [0] * 1_000_000}})
        began = time.process_time()
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            data=body,
            content_type="application/json",
        )

        assert answer.status_code in (200, 400)
        assert time.process_time() - began < 5.0

    def test_the_last_of_two_equal_keys_counts_where_nothing_is_administered(
        self, quiet
    ):
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            data=b'{"prompt": "First.", "prompt": "Second thing here."}',
            content_type="application/json",
        )

        assert answer.status_code == 200
        assert "First" not in answer.json["data"]["text"]


class TestMultipart:
    """A5: forms of many parts, huge fields, or endless boundaries."""

    def post(self, gateway, body, boundary="b"):
        began = time.process_time()
        answer = ask(
            gateway,
            WEBHOOK,
            "POST",
            token=gateway.token,
            data=body,
            content_type=f"multipart/form-data; boundary={boundary}",
        )
        assert time.process_time() - began < 5.0
        return answer

    def part(self, name, content=b"x"):
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        return head.encode() + content + b"\r\n"

    def test_1001_parts_are_too_many(self, quiet):
        parts = b"".join(self.part(f"field-{n}") for n in range(1001))

        assert self.post(quiet, parts + b"--b--\r\n").status_code == 413

    @pytest.mark.no_cover
    def test_a_field_of_50_megabytes_is_too_large(self, quiet):
        body = self.part("prompt", b"x" * 50 * MEBIBYTE) + b"--b--\r\n"

        assert self.post(quiet, body).status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            b"--b" + b"-" * 1_000_000,
            b"--b\r\n" + b"-" * 1_000_000,
            b"\r" * 5 * MEBIBYTE,
            b"\r\n--" * MEBIBYTE,
            b"--b\r\n" + b"Content-Disposition: form-data\r\n" * 10_000,
            b"--b\r\n\r\n\r\n--b--",
            b"",
        ],
        ids=[
            "dashes",
            "dashes in a head",
            "carriage returns",
            "half boundaries",
            "headers",
            "no name",
            "empty",
        ],
    )
    def test_what_is_no_form_is_refused_and_cheap(self, quiet, body):
        assert self.post(quiet, body).status_code in (400, 413)

    @pytest.mark.no_cover
    def test_a_file_that_begins_with_five_megabytes_of_carriage_returns_is_cheap(
        self, quiet
    ):
        content = b"\r" * 5 * MEBIBYTE + b"Please call Ben on Friday."
        head = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\n"
        )

        answer = self.post(quiet, head + content + b"\r\n--b--\r\n")

        assert answer.status_code in (200, 400, 413)

    def test_a_boundary_that_is_missing_or_too_long_is_a_400(self, quiet):
        body = self.part("prompt") + b"--b--\r\n"

        assert self.post(quiet, body, boundary="").status_code == 400
        assert self.post(quiet, body, boundary="b" * 5000).status_code == 400


class TestEncodings:
    """A6: a small body must not unfold."""

    @pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "gzip, gzip"])
    def test_a_compressed_body_is_415_unread(self, quiet, coding):
        bomb = gzip.compress(b'{"prompt": "' + b" " * MEBIBYTE + b'x"}')
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            data=bomb,
            content_type="application/json",
            headers={"Content-Encoding": coding},
        )

        assert answer.status_code == 415
        assert "identity" in answer.json["details"]

    def test_identity_is_no_compression(self, quiet):
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            json={"prompt": "Please call Ben on Friday."},
            headers={"Content-Encoding": "identity"},
        )
        assert answer.status_code == 200


class TestShortBodies:
    @pytest.mark.parametrize("ends_quietly", [True, False])
    def test_half_a_document_is_refused_and_not_digested(self, quiet, ends_quietly):
        """Gunicorn ends the stream without a word, other servers raise."""
        answer = ask(
            quiet,
            WEBHOOK,
            "POST",
            token=quiet.token,
            data=b"Please call Ben on Fri",
            content_type="text/plain",
            environ={"CONTENT_LENGTH": "1000", "wsgi.input_terminated": ends_quietly},
        )

        assert answer.status_code == 400
        assert "Content-Length" in answer.json["details"]
