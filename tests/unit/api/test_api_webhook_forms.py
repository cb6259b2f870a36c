"""The forms of the webhook: JSON, raw bodies, multipart; their types and caps."""

import io

import pytest
from face_fakes import AS_TEXT, ORDERED

from flaskllm.services.digests.types import DigestOrder

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "media_type", ["message/rfc822", "text/vtt", "application/x-subrip", "text/plain"]
)
def test_a_raw_body_goes_down_as_it_came_with_the_fields_of_the_query(
    post, services, media_type
):
    body = b"Subject: x\r\n\r\n\xff\x00 raw"

    reply = post(
        query_string=AS_TEXT, data=body, content_type=f"{media_type}; charset=latin-1"
    )

    assert reply.status_code == 200
    assert services.digests.orders == [
        DigestOrder(content=body, media_type=media_type, charset="latin-1", **ORDERED)
    ]


def test_a_raw_body_without_charset_leaves_it_open(post, services):
    post(data=b"Hello.", content_type="text/plain")

    assert services.digests.orders[0].charset is None


def test_a_form_with_a_file_has_the_same_fields(post, services):
    file = (io.BytesIO(b"WEBVTT\n"), "call.vtt", "text/vtt; charset=utf-8")

    reply = post(data=AS_TEXT | {"file": file})

    assert reply.status_code == 200
    assert services.digests.orders == [
        DigestOrder(
            content=b"WEBVTT\n",
            media_type="text/vtt",
            charset="utf-8",
            file_name="call.vtt",
            **ORDERED,
        )
    ]


def test_a_form_may_carry_the_text_itself(post, services):
    post(data={"prompt": "Hello.", "type": "keywords"}, content_type=MULTIPART)

    assert services.digests.orders == [
        DigestOrder(content=b"Hello.", charset="utf-8", type="keywords")
    ]


MULTIPART = "multipart/form-data"


@pytest.mark.parametrize(
    ("name", "content_type", "media_type"),
    [
        ("a.eml", "message/rfc822", "message/rfc822"),
        ("a.eml", "application/octet-stream", "message/rfc822"),
        ("A.EML", "", "message/rfc822"),
        ("a.vtt", "text/plain", "text/vtt"),
        ("a.srt", "application/octet-stream", "application/x-subrip"),
        ("a.txt", "application/octet-stream", "text/plain"),
        ("a.md", "text/plain", "text/plain"),
        ("a.txt", "message/rfc822", "message/rfc822"),
    ],
)
def test_a_file_is_known_by_its_type_or_else_its_name(
    post, services, name, content_type, media_type
):
    post(data={"file": (io.BytesIO(b"x"), name, content_type)})

    assert services.digests.orders[0].media_type == media_type


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.pdf", "application/pdf"),
        ("a", "application/octet-stream"),
        ("a.eml", "application/pdf"),
    ],
)
def test_another_file_is_refused_with_what_is_read(post, name, content_type):
    reply = post(data={"file": (io.BytesIO(b"x"), name, content_type)})

    assert reply.status_code == 415
    assert content_type in reply.json["details"]
    assert "*.eml" in reply.json["details"]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
    ],
)
def test_another_content_type_is_refused_with_what_is_read(post, content_type):
    reply = post(data=b"x", content_type=content_type)

    assert reply.status_code == 415
    assert (
        "application/json, multipart/form-data, message/rfc822"
        in (reply.json["details"])
    )


@pytest.mark.parametrize(
    "sent",
    [
        {"data": b"x", "content_type": "text/calendar; method=REQUEST"},
        {"file": ("a.ics", "text/calendar")},
        {"file": ("a.ICS", "application/octet-stream")},
    ],
)
def test_a_calendar_is_taken_as_a_body_and_as_a_file(post, sent):
    if "file" in sent:
        sent = {"data": {"file": (io.BytesIO(b"x"), *sent["file"])}}

    assert post(**sent).status_code == 200


def test_unknown_parts_of_a_form_become_warnings(post):
    reply = post(
        data={
            "prompt": "x",
            "colour": "red",
            "second": (io.BytesIO(b"x"), "b.txt"),
        }
    )

    assert reply.json["meta"]["warnings"][1:] == [
        "unknown_field: colour",
        "unknown_field: second",
    ]


def test_a_part_without_a_name_is_an_unknown_field(post):
    body = (
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b\r\n"
        b'Content-Disposition: form-data; name="prompt"\r\n\r\nHello.\r\n--b--\r\n'
    )

    reply = post(data=body, content_type=f"{MULTIPART}; boundary=b")

    assert reply.json["meta"]["warnings"][1:] == ["unknown_field: "]


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_an_empty_raw_body_is_refused(post, body):
    reply = post(data=body, content_type="message/rfc822")

    assert reply.status_code == 400
    assert reply.json["fields"][0]["path"] == "body"


def opened(form):
    """Return the form with its files opened anew; a stream is read only once."""
    return {
        name: value
        if isinstance(value, str)
        else [(io.BytesIO(content), file_name) for content, file_name in value]
        for name, value in form.items()
    }


FILE = (b"x", "a.txt")


@pytest.mark.parametrize(
    ("form", "path"),
    [
        pytest.param({}, "file", id="nothing"),
        pytest.param({"type": "summary"}, "file", id="no document"),
        pytest.param({"file": [(b"x", "")]}, "file", id="file without a name"),
        pytest.param({"file": [FILE], "prompt": "y"}, "file", id="file and prompt"),
        pytest.param({"file": [FILE, FILE]}, "file", id="two files"),
        pytest.param({"file": [(b"", "a.txt")]}, "file", id="empty file"),
        pytest.param({"file": [(b" \n", "a.txt")]}, "file", id="blank file"),
        pytest.param({"prompt": " "}, "prompt", id="blank prompt"),
        pytest.param({"prompt": "x", "type": "nonsense"}, "type", id="unknown type"),
        pytest.param({"prompt": "x", "variables": "no"}, "variables", id="no JSON"),
    ],
)
def test_a_wrong_form_is_named(post, services, form, path):
    reply = post(data=opened(form), content_type=MULTIPART)

    assert reply.status_code == 400
    assert [field["path"] for field in reply.json["fields"]] == [path]
    assert services.digests.orders == []


@pytest.mark.parametrize("body", [b"", b"--b", b"junk" * 99, b"\r" * 5_000_000])
def test_a_form_that_is_none_is_refused(post, body):
    assert post(data=body, content_type=f"{MULTIPART}; boundary=b").status_code == 400


def test_a_form_without_boundary_is_refused(post):
    assert post(data=b"x", content_type=MULTIPART).status_code == 400


def test_a_form_of_too_many_parts_is_too_large(post):
    reply = post(data={f"f{n}": "x" for n in range(1001)}, content_type=MULTIPART)
    assert reply.status_code == 413


def documents_of(length):
    padding = length - len(b'{"prompt": ""}')
    boundary = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"'
    rest = length - len(boundary + b"\r\n\r\n" + b"\r\n--b--\r\n")
    return {
        "application/json": b'{"prompt": "' + b"x" * padding + b'"}',
        "text/plain": b"x" * length,
        f"{MULTIPART}; boundary=b": boundary
        + b"\r\n\r\n"
        + b"x" * rest
        + b"\r\n--b--\r\n",
    }


@pytest.mark.parametrize("content_type", documents_of(100))
@pytest.mark.parametrize(("length", "status"), [(10 * MIB, 200), (10 * MIB + 1, 413)])
def test_each_form_may_have_ten_mebibytes(post, content_type, length, status):
    body = documents_of(length)[content_type]

    reply = post(data=body, content_type=content_type)

    assert len(body) == length
    assert reply.status_code == status


@pytest.mark.parametrize("content_type", documents_of(100))
def test_a_body_of_unknown_length_is_never_cut_silently(post, services, content_type):
    body = documents_of(10 * MIB + 1)[content_type]

    reply = post(
        content_type=content_type,
        environ_overrides={
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )

    assert reply.status_code == 413
    assert services.digests.orders == []


def test_a_long_prompt_in_a_form_is_no_special_case(post):
    """Werkzeug would refuse a text field of half a megabyte."""
    body = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
    body += b"x" * MIB + b"\r\n--b--\r\n"

    reply = post(data=body, content_type=f"{MULTIPART}; boundary=b")

    assert reply.status_code == 200
