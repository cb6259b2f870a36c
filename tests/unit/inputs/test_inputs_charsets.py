"""Bytes become text."""

import pytest

from flaskllm.inputs.charsets import decode

SPANISH = "La información de la compañía: el año que viene habrá más señales. ¿Qué tal?"
RUSSIAN = "Привет, как дела? Это письмо о доставке груза в июне. " * 5


def codes(content, charset=None):
    return [notice.code for notice in decode(content, charset).warnings]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"plain", None, "plain"),
        ("Größe".encode(), None, "Größe"),
        ("Größe".encode(), "us-ascii", "Größe"),
        ("Größe".encode("latin-1"), "ISO-8859-1", "Größe"),
        ("“so”".encode("cp1252"), "iso-8859-1", "“so”"),
        ("한국말".encode("cp949"), "ks_c_5601-1987", "한국말"),
        ("\ufeffmark".encode(), None, "mark"),
        ("mark".encode("utf-16"), "utf-8", "mark"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", None, "a"),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本"),
    ],
)
def test_readable_bytes_are_read_without_a_warning(content, charset, text):
    decoded = decode(content, charset)

    assert (decoded.text, decoded.warnings) == (text, ())


@pytest.mark.parametrize(
    "charset", ["X-UNKNOWN", "rot13", "zip", "idna", "unicode_escape", "\0", "é", ""]
)
def test_what_is_no_charset_is_never_used(charset):
    assert decode(b"still here", charset).text == "still here"


def test_an_unknown_charset_is_reported():
    assert codes(b"text", "X-UNKNOWN") == ["charset_unknown"]


def test_utf8_under_a_wrong_name_is_read_as_utf8():
    assert decode("中文 text".encode(), "shift_jis").text == "中文 text"
    assert codes("中文 text".encode(), "shift_jis") == ["charset_wrong"]


@pytest.mark.parametrize(
    ("text", "codec"), [(SPANISH, "cp1252"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp1251")]
)
def test_undeclared_bytes_are_guessed_and_the_guess_is_reported(text, codec):
    decoded = decode(text.encode(codec))

    assert decoded.text == text
    assert [notice.code for notice in decoded.warnings] == ["charset_guessed"]


def test_a_wrong_declaration_is_compared_with_the_guess():
    decoded = decode(RUSSIAN.encode("koi8-r"), "utf-8")

    assert decoded.text == RUSSIAN
    assert [notice.code for notice in decoded.warnings] == ["charset_wrong"]


def test_few_broken_bytes_are_damage_and_not_another_charset():
    decoded = decode(RUSSIAN.encode() + b"\xff", "utf-8")

    assert decoded.text == RUSSIAN + "\ufffd"
    assert [notice.code for notice in decoded.warnings] == ["undecodable_bytes"]


def test_bytes_that_are_no_text_still_become_text():
    assert "undecodable_bytes" in codes(bytes(range(256)) * 10, "gb2312")


def test_a_surrogate_never_leaves():
    assert "\ud800" not in decode(b"\xff\xfe\x00\xd8a\x00", None).text
    assert "\ud800" not in decode("x\ud800".encode("utf-7", "surrogatepass")).text
