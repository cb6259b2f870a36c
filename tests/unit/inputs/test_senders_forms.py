"""Forms keep the bytes of each field, and mails are put together from pieces."""

from unittest import mock
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mail_sender_scene import BOUNDARY, FORM, MAIL, multipart

from flaskllm.inputs import parse
from flaskllm.inputs.mime import read_mail
from flaskllm.inputs.senders import forms
from flaskllm.inputs.senders.forms import is_form, read_form, read_proof
from flaskllm.inputs.senders.mail_again import (
    Attachment,
    Pieces,
    Text,
    address,
    header_block,
    put_together,
)
from flaskllm.inputs.senders.types import Delivery, SenderRefusedError

MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
BYTES = "application/octet-stream"
HEADER = b"From: a@x.example\r\nSubject: x\r\n"


def field(disposition, value=b"x", *headers):
    return read_form(multipart((disposition, value, *headers))).fields[0]


def refused(body, kind=MULTIPART):
    with pytest.raises(SenderRefusedError) as error:
        read_form(Delivery({"content-type": kind}, body))
    return error.value.why


def document(*attachments, plain=None, html=None, header=HEADER):
    pieces = Pieces(header, plain, html, attachments)
    content = put_together(pieces)
    return parse(content, media_type="message/rfc822", source="email")


def leaves(node):
    return [leaf for child in node.children for leaf in leaves(child)] or [node]


def parts_of(*attachments):
    mail = read_mail(put_together(Pieces(HEADER, Text(b"Hi"), None, attachments)))
    return [(leaf.header, leaf.payload()) for leaf in leaves(mail.root)]


def test_a_field_is_read_in_the_charset_that_is_named_for_it():
    found = field('name="text"', "12,50 €".encode("cp1252"))

    assert found.value == b"12,50 \x80"
    assert found.text("windows-1252") == "12,50 €"


def test_a_field_that_declares_its_charset_is_read_in_it():
    found = field('name="t"', b"\xa4", "Content-Type: text/plain; charset=iso-8859-15")

    assert (found.text(), found.media_type) == ("€", "text/plain")


def test_bytes_of_a_file_stay_as_they_are():
    value = b"\r\n--xYzZ\r\n\x00\xff\r\n\r\n--\r"

    assert field('name="a"; filename="a.bin"', value).value == value


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="a"', None),
        ('name="a"; filename=""', ""),
        ("name=a; filename=b.txt", "b.txt"),
        ('name="a"; filename="b; c.txt"', "b; c.txt"),
        (r'name="a"; filename="b \"c\".txt"', 'b "c".txt'),
        (r'name="a"; filename="C:\temp\b.txt"', r"C:\temp\b.txt"),
        ('name="a"; filename="März.txt"', "März.txt"),
        ('name="a"; filename="x"; filename*=UTF-8\'\'M%C3%A4rz.txt', "März.txt"),
        ("name=\"a\"; filename*=UTF-8''%FF.txt", "ÿ.txt"),
        ('name="a"; filename="b; filename*=x', "b; filename*=x"),
        ('name="a"; filename*=x', None),
    ],
)
def test_a_file_keeps_its_name_even_an_empty_one(disposition, name):
    found = field(disposition)

    assert (found.name, found.file_name) == ("a", name)


def test_folded_headers_and_parts_without_any_are_read():
    body = (
        b'ignored\n--xYzZY\nContent-Disposition: form-data;\n name="a"\n'
        b"Content-ID: <i@x>\n\none\n--xYzZY\n\ntwo\n--xYzZY-- \nignored"
    )

    found = read_form(Delivery({"content-type": MULTIPART}, body))

    assert [(each.name, each.value) for each in found.fields] == [
        ("a", b"one"),
        ("", b"two"),
    ]
    assert found.fields[0].content_id == "i@x"


def test_urlencoded_fields_are_bytes_and_the_last_of_a_name_counts():
    body = b"From=a+b&from=%E4%26&&empty&ref=1%3D2=3"

    found = read_form(Delivery({"content-type": f"{FORM}; charset=x"}, body))

    assert found.text("FROM", "latin-1") == "ä&"
    assert (found.text("ref"), found.text("empty")) == ("1=2=3", "")
    assert (found.text("none"), found.files) == ("", ())


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/mixed; boundary=b"]
)
def test_what_is_no_form_is_refused(kind):
    assert not is_form(Delivery({"content-type": kind}, b""))
    assert refused(b"a=1", kind) == "malformed"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", MULTIPART),
        (b"--other\r\n\r\nx\r\n--other--", MULTIPART),
        (b"--xYzZY\r\n\r\ncut on the way", MULTIPART),
        (b"--xYzZY\r\nname: x\r\n--xYzZY--", MULTIPART),
        (b"--xYzZY\r\n" + b"x" * 20_000 + b"\r\n\r\n\r\n--xYzZY--", MULTIPART),
        (b"--xYzZY\r\n\r\n\r\n--xYzZY--", "multipart/form-data"),
        (b"--xYzZY\r\n\r\n\r\n" * 2_002 + b"--xYzZY--", MULTIPART),
        (b"a=1&" * 2_001, FORM),
    ],
)
def test_a_form_that_is_broken_or_has_too_many_fields_is_refused(body, kind):
    assert refused(body, kind) == "malformed"


def test_a_form_beyond_the_cap_is_refused(monkeypatch):
    monkeypatch.setattr(forms, "MAX_FORM_BYTES", 3)

    assert refused(b"a=12", FORM) == "malformed"


def test_texts_keep_their_charsets_and_the_better_one_is_read():
    plain = Text("Grüße für 40 €".encode("cp1252"), "windows-1252")
    html = Text("<p>Grüße für 40 € bis <s>Montag</s> Dienstag</p>".encode())

    assert "40 €" in document(plain=plain).text()
    assert "~~Montag~~" in document(plain=plain, html=html).text()


def test_a_mail_without_text_keeps_its_header():
    found = document(header=b"From nobody\r\n" + HEADER + b"\r\nBcc: never@x.example")

    assert (found.subject, found.parts[1:]) == ("x", ())


def test_a_text_cannot_pass_for_a_part_or_a_header():
    pieces = Pieces(HEADER, Text(b"Hi"), Text(b"<p>Hi</p>"))
    boundary = put_together(pieces).split(b'boundary="')[1].split(b'"')[0]
    forged = b"Hi\r\n--" + boundary + b"\r\nContent-Type: text/plain\r\n\r\nforged\r\n"

    mail = read_mail(put_together(Pieces(HEADER, Text(forged), Text(b"<p>Hi</p>"))))

    assert [each.payload() for each in leaves(mail.root)] == [forged, b"<p>Hi</p>"]
    assert header_block([("X-A", "1\r\nBcc: b@x"), ("X B", "1"), ("X-C", "")]) == (
        b"X-A: 1 Bcc: b@x\r\n"
    )


def test_a_header_block_loses_what_says_how_the_body_was_written():
    block = (
        b"Content-Type: multipart/mixed;\n boundary=b\nno header\n X: folded\n"
        b"MIME-Version: 1.0\nSubject: a\n\tb\nContent-Transfer-Encoding: base64\n"
    )

    content = put_together(Pieces(block, Text(b"Hi")))

    assert content.startswith(
        b"Subject: a\r\n\tb\r\nMIME-Version: 1.0\r\nContent-Type: text/plain"
    )


def test_files_keep_bytes_types_and_names():
    _, (header, payload) = parts_of(
        Attachment(b"\x00\r\n", "Text/CSV; x=1", "März.csv")
    )

    assert (header.get_content_type(), header.get_filename()) == (
        "text/csv",
        "März.csv",
    )
    assert (payload, header["content-disposition"][:10]) == (b"\x00\r\n", "attachment")


@pytest.mark.parametrize(
    ("attachment", "kind", "disposition", "content_id"),
    [
        (Attachment(b""), "application/octet-stream", "attachment", None),
        (
            Attachment(b"", "x\r\nBcc: y"),
            "application/octet-stream",
            "attachment",
            None,
        ),
        (
            Attachment(b"", "multipart/x"),
            "application/octet-stream",
            "attachment",
            None,
        ),
        (Attachment(b"", "image/png", "", "<a@x>"), "image/png", "inline", "<a@x>"),
        (Attachment(b"", "image/png", "", "ü"), "image/png", "inline", None),
        (
            Attachment(b"", "text/csv", 'a"\r\nb', "a@x"),
            "text/csv",
            'attachment; filename="a___b"',
            "<a@x>",
        ),
    ],
)
def test_no_name_or_type_of_a_file_breaks_out(
    attachment, kind, disposition, content_id
):
    _, (header, _) = parts_of(attachment)

    assert header.get_content_type() == kind
    assert header["content-disposition"] == disposition
    assert header["content-id"] == content_id


def test_a_mail_inside_the_mail_is_read():
    forwarded = Attachment(MAIL, "message/rfc822", "invoice.eml")

    assert "Pay by Friday." in document(forwarded, plain=Text(b"See below")).text()


def test_names_in_addresses_are_quoted():
    assert address("", "a@x") == "a@x"
    assert address('Lee, "A"', "a@x") == r'"Lee, \"A\"" <a@x>'


def named(*names):
    return frozenset(names)


def test_of_a_proof_only_its_own_fields_are_kept_the_last_of_a_name():
    body = b"token=a&body-plain=x&%54oken=b+c&signature=%41"
    of_lines = multipart(('name="token"', b"a"), ('name="body"', b"x"))

    found = read_proof(Delivery({"content-type": FORM}, body), named("token"))
    lines = read_proof(of_lines, named("token"))

    assert [each.value for each in found.fields] == [b"a", b"b c"]
    assert [each.value for each in lines.fields] == [b"a"]


@pytest.mark.parametrize("kind", [FORM, MULTIPART])
def test_a_field_that_is_too_long_for_a_proof_hides_an_earlier_one(kind):
    long = b"t" * (forms.MAX_PROOF_BYTES + 1)
    delivery = (
        Delivery({"content-type": FORM}, b"token=a&token=" + long)
        if kind == FORM
        else multipart(('name="token"', b"a"), ('name="token"', long))
    )

    assert read_proof(delivery, named("token")).text("token") == ""
    assert read_form(delivery).text("token") == long.decode()


@pytest.mark.parametrize("kind", ["text/plain", MULTIPART])
def test_what_is_no_form_proves_nothing(kind):
    with pytest.raises(SenderRefusedError):
        read_proof(Delivery({"content-type": kind}, b"token=a"), named("token"))


@given(st.lists(st.sampled_from([b"%", b"4", b"a", b"+", b"G"]), max_size=30))
def test_what_is_decoded_in_pieces_is_what_is_decoded_whole(pieces):
    raw = b"".join(pieces)
    body = b"a=" + raw

    with mock.patch.object(forms, "_PIECE_BYTES", 4):
        (found,) = read_form(Delivery({"content-type": FORM}, body)).fields

    assert found.value == unquote_to_bytes(raw.replace(b"+", b" "))
