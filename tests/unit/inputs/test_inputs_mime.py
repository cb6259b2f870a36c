"""A mail is cut into its parts without being believed."""

import pytest

from flaskllm.inputs.mime import MAX_DEPTH, MAX_PARTS, Node, read_mail

MIXED = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    b"--c\r\n\r\ntwo\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--c--\r\n"
    b"--b--\r\nepilogue\r\n"
)


def leaves(node: Node):
    if not node.children:
        return [(node.path, node.media_type, node.body)]
    return [leaf for child in node.children for leaf in leaves(child)]


def codes(content):
    return [notice.code for notice in read_mail(content).warnings]


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"], ids=["crlf", "lf", "cr"])
def test_parts_are_numbered_and_end_before_their_delimiter(line_end):
    mail = read_mail(MIXED.replace(b"\r\n", line_end))

    assert leaves(mail.root) == [
        ("1", "text/plain", b"one"),
        ("2.1", "text/plain", b"two"),
        ("2.2", "text/html", b"<p>two</p>"),
    ]
    assert mail.warnings == ()


def test_a_mail_of_one_part_is_part_one():
    mail = read_mail(b"\xef\xbb\xbf\nSubject: x\n\nbody\n")

    assert leaves(mail.root) == [("1", "text/plain", b"body\n")]


@pytest.mark.parametrize("content", [b"", b"no header here", b"\n\n", b"a b: c\n\nd"])
def test_bytes_without_a_header_are_no_mail(content):
    assert read_mail(content) is None


def test_a_message_inside_has_a_header_of_its_own():
    inner = b"Subject: inner\n\ninner text"
    mail = read_mail(b"Subject: x\nContent-Type: message/rfc822\n\n" + inner)

    (child,) = mail.root.children
    assert (child.path, child.header["subject"], child.body) == (
        "1",
        "inner",
        b"inner text",
    )


@pytest.mark.parametrize(
    "declared",
    ["multipart/mixed", "multipart/mixed; boundary=zz", 'multipart/mixed; boundary=""'],
)
def test_a_multipart_without_parts_is_text(declared):
    content = f"Subject: x\nContent-Type: {declared}\n\njust text".encode()

    assert leaves(read_mail(content).root) == [("1", "text/plain", b"just text")]
    assert codes(content) == ["multipart_without_parts"]


def test_a_wrong_boundary_is_replaced_by_the_one_in_use():
    content = (
        b"Subject: x\nContent-Type: multipart/mixed; boundary=declared\n\n"
        b"--other\n--used\nContent-Type: text/html\n\n<p>a</p>\n--used--\n"
    )

    assert leaves(read_mail(content).root) == [("1", "text/html", b"<p>a</p>")]


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "unicode_escape", "undefined", "a\0b"]
)
def test_a_wrapped_boundary_is_not_decoded_with_a_codec_of_the_senders_choice(charset):
    declared = f"multipart/mixed; boundary*={charset}'en'%5Cud800"
    content = f"Content-Type: {declared}\n\n--\\ud800\n\none\n"

    assert leaves(read_mail(content.encode()).root) == [("1", "text/plain", b"one\n")]


def test_an_unclosed_multipart_keeps_its_last_part():
    content = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo"

    assert [body for *_, body in leaves(read_mail(content).root)] == [b"one", b"two"]


def test_a_multipart_that_is_closed_at_once_has_no_parts():
    assert codes(b"Content-Type: multipart/mixed; boundary=b\n\n--b--\nx") == [
        "multipart_without_parts"
    ]


def test_a_header_line_that_is_none_begins_the_body():
    mail = read_mail(b"Subject: x\nnot a header line\n\nbody")

    assert mail.root.body == b"not a header line\n\nbody"


def test_a_header_without_end_is_all_header():
    assert read_mail(b"Subject: x").root.body == b""


def test_a_part_may_lack_its_header():
    content = b"Content-Type: multipart/mixed; boundary=b\n\n--b\njust text\n--b--"

    assert leaves(read_mail(content).root) == [("1", "text/plain", b"just text")]


def nested(levels):
    opened = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (level, level + 1)
        for level in range(levels)
    )
    head = b"Subject: x\nContent-Type: multipart/mixed; boundary=b0\n\n"
    return head + opened + b"--b%d\n\ndeep\n" % levels


@pytest.mark.parametrize("levels", [MAX_DEPTH - 2, 60])
def test_deep_parts_are_read(levels):
    assert [body for *_, body in leaves(read_mail(nested(levels)).root)] == [b"deep\n"]


def test_parts_beyond_the_depth_cap_are_left_out():
    assert codes(nested(1500)) == ["nesting_cut"]


def test_messages_beyond_the_depth_cap_are_one_body():
    content = b"Subject: x\nContent-Type: message/rfc822\n\n" * 1500

    (leaf,) = leaves(read_mail(content).root)
    assert leaf[1] == "message/rfc822"


def test_parts_beyond_the_cap_are_left_out():
    content = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000

    mail = read_mail(content)

    assert len(mail.root.children) == MAX_PARTS - 1
    assert [notice.code for notice in mail.warnings] == ["parts_cut"]


@pytest.mark.parametrize(
    ("declared", "media_type"),
    [("TEXT/HTML; x=y", "text/html"), ("nonsense", "text/plain"), ("", "text/plain")],
)
def test_a_media_type_is_lower_case_and_never_nonsense(declared, media_type):
    mail = read_mail(f"Subject: x\nContent-Type: {declared}\n\nbody".encode())

    assert mail.root.media_type == media_type


@pytest.mark.parametrize(
    ("encoding", "body", "payload"),
    [
        ("base64", b"YWI=", b"ab"),
        ("base64", b"%%%", b""),
        ("quoted-printable", b"a=3Db=", b"a=b"),
        ("x-uuencode", b"begin 644 x\nM", None),
        ("8bit", "é".encode(), "é".encode()),
        ("nonsense", b"ab", b"ab"),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_possible(encoding, body, payload):
    head = f"Subject: x\nContent-Transfer-Encoding: {encoding}\n\n".encode()

    found = read_mail(head + body).root

    assert payload is None or found.payload() == payload
    assert found.is_encoded is (encoding != "8bit")


def test_parameters_are_read_and_broken_ones_are_none():
    head = b"Content-Type: text/plain; charset*=utf-8''latin%2D1; name\n"

    node = read_mail(head + b"Content-Disposition: ATTACHMENT; filename=x\n\n").root

    assert node.parameter("charset") == "latin-1"
    assert node.parameter("missing") is None
    assert node.disposition == "attachment"
