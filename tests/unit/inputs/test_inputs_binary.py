"""What is no text is refused, whatever it is called."""

import io
import zipfile

import pytest

from flaskllm.core.errors import UnsupportedMediaType
from flaskllm.inputs import parse
from flaskllm.inputs.media_types import FILE_TYPES

OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(500)


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return file.getvalue()


BINARIES = {
    "outlook": OLE,
    "docx": zipped(),
    "empty zip": b"PK\x05\x06" + bytes(18),
    "pdf": b"%PDF-1.7\n1 0 obj\n",
    "rtf": rb"{\rtf1\ansi Hello}",
    "gzip": b"\x1f\x8b\x08\x00rest",
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "rar": b"Rar!\x1a\x07\x01\x00",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "gif": b"GIF89a\x01\x00",
    "webm": b"\x1aE\xdf\xa3\x9f",
    "mp4": b"\x00\x00\x00\x20ftypisom\x00\x00",
    "ogg": b"OggS\x00\x02",
    "wav": b"RIFF\x24\x08\x00\x00WAVE",
    "mp3": b"ID3\x03\x00\x00",
}


@pytest.mark.parametrize("name", BINARIES)
@pytest.mark.parametrize("media_type", [None, *FILE_TYPES])
def test_a_file_of_another_kind_is_known_by_its_first_bytes(name, media_type):
    with pytest.raises(UnsupportedMediaType) as caught:
        parse(BINARIES[name], media_type=media_type, source=None)

    assert "Send" in caught.value.details or "send" in caught.value.details


@pytest.mark.parametrize("content", [bytes(100), b"\x00\x01words" * 9])
def test_bytes_full_of_nul_are_no_text(content):
    with pytest.raises(UnsupportedMediaType, match="not supported") as caught:
        parse(content, media_type="text/plain", source=None)

    assert "UTF-8" in caught.value.details


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("Grüße".encode("utf-16"), None),
        ("Grüße".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffGrüße".encode("utf-32-be"), None),
        (b"a long line of words with one \x00 in it", None),
        (b"GIF89a, RIFF, ID3 and OggS are magic words", None),
        (b"ID3 tags", None),
    ],
)
def test_text_with_an_explanation_for_its_bytes_is_read(content, charset):
    document = parse(content, media_type="text/plain", source=None, charset=charset)

    assert document.form == "text"


@pytest.mark.parametrize(
    ("media_type", "file_name"),
    [
        ("application/vnd.ms-outlook", None),
        ("application/octet-stream", "note.MSG"),
        ("text/plain", "note.msg"),
        (None, None),
    ],
)
def test_an_outlook_item_is_refused_with_the_ways_to_send_it(media_type, file_name):
    with pytest.raises(UnsupportedMediaType) as caught:
        parse(OLE, media_type=media_type, source="email", file_name=file_name)

    assert ".eml" in caught.value.details
    assert "attachment" in caught.value.details


@pytest.mark.parametrize(
    ("media_type", "file_name"),
    [("text/json", None), ("application/octet-stream", "a.json"), ("", "a.JSON")],
)
def test_json_is_known_by_its_type_or_its_name(media_type, file_name):
    content = b'{"segments": [{"start": 0, "end": 1, "text": "Hi."}]}'

    document = parse(content, media_type=media_type, source=None, file_name=file_name)

    assert document.form == "whisper"


def test_a_file_of_an_unknown_type_is_refused_with_all_endings():
    with pytest.raises(UnsupportedMediaType) as caught:
        parse(b"x", media_type="a/b", source=None, file_name="a.b")

    assert "*.json" in caught.value.details
    assert "application/json" in caught.value.details
