"""What holds for all bytes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.errors import APIError
from flaskllm.inputs import parse
from flaskllm.inputs.html import read_html
from flaskllm.inputs.media_types import SUPPORTED

FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

PIECES = [
    b"From: a@x.example\n", b"Subject: =?utf-8?q?x=e2?=\n", b"\n", b"\r\n", b"\r",
    b"Content-Type: multipart/mixed; boundary=b\n", b"--b\n", b"--b--\n",
    b"Content-Type: multipart/alternative; boundary=b\n",
    b"Content-Type: text/html\n", b"Content-Type: message/rfc822\n",
    b"Content-Type: text/plain; charset=x; format=flowed\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"<p style='display:none'>", b"</p>", b"<blockquote>", b"<!--", b"<b",
    b"&#8203;", b"&#55296;", b"&#0;", b"> ", b"-- \n",
    b"On 3 May 2026 10:00, A <a@x.example> wrote:\n",
    b"-----Original Message-----\n", b"Von: A <a@x.example>\nAn: B\nBetreff: C\n",
    b"WEBVTT\n\n", b"1\n", b"00:01.000 --> 00:02.000\n", b"<v Ann>", b"</v>",
    b"Ann Lee: ", b"NOTE\n", "é\u200b\u202e".encode(), b"\xff\xfe", b"\xe9", b"\x00",
    b"words and so on. ", "\U000e0041\ufeff".encode(), b"=E2=80=8B", b"Date: x\n",
    b"To: a:b:c;\n", b"+AGE-",
]  # fmt: skip

contents = st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map(
    b"".join
)
media_types = st.sampled_from([None, *SUPPORTED, "text/calendar", "x"]) | st.text()
sources = st.sampled_from([None, "email", "meeting", "document", "chat", "other"])
charsets = st.none() | st.sampled_from(["utf-8", "utf-16", "cp037", "hz"]) | st.text()


@settings(max_examples=300, deadline=None)
@given(contents, media_types, sources, charsets, st.none() | st.text())
def test_parse_returns_a_clean_document_or_raises_an_api_error(
    content, media_type, source, charset, file_name
):
    try:
        document = parse(
            content,
            media_type=media_type,
            source=source,
            charset=charset,
            file_name=file_name,
        )
    except APIError:
        return

    ids = [part.id for part in document.parts]
    assert len(set(ids)) == len(ids)
    for part in document.parts:
        assert not FORBIDDEN.search(part.text)
        assert part.text == part.text.strip() != ""
        assert 0 <= part.origin.start <= part.origin.end
        assert part.origin.path or part.origin.end <= len(content)
    for text in (document.subject, *(person.name for person in document.participants)):
        assert text is None or not FORBIDDEN.search(text)
    assert document.sent_at is None or document.sent_at.tzinfo is not None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.lists(st.sampled_from(PIECES)).map(
    lambda pieces: b"".join(pieces).decode("utf-8", "replace")
))  # fmt: skip
def test_places_in_html_stay_in_the_source(source):
    lines = read_html(source).lines

    assert all(0 <= line.start <= line.end <= len(source) for line in lines)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u202e"])
def test_entities_cannot_bring_back_what_was_removed(text):
    source = "".join(f"&#{ord(character)};" for character in text)

    assert not any(FORBIDDEN.search(line.text) for line in read_html(source).lines)
