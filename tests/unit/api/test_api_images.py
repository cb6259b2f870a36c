"""Pictures that callers send: an address that we never fetch, or the bytes."""

import base64

import pytest

from flaskllm.api import images
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image

PIXEL = base64.b64encode(b"\x89PNG\r\n").decode()


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "HTTPS://8.8.8.8:8443/a?b=c@d#e", "https://a"]
)
def test_an_https_address_is_kept_as_it_is(url):
    assert images.image_of(url, "p", "low") == Image(url=url, detail="low")


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_a_data_url_is_taken_apart(kind):
    found = images.image_of(f"data:image/{kind};base64,{PIXEL}", "p")

    assert found == Image(data=PIXEL, media_type=f"image/{kind}")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://canary/a.png", "is no address of a picture"),
        ("file:///etc/passwd", "is no address of a picture"),
        ("gopher://canary/", "is no address of a picture"),
        ("//canary/a.png", "is no address of a picture"),
        ("https://", "is no address of a picture"),
        ("https://a b", "is no address of a picture"),
        ("https:///a.png", "is no address of a picture"),
        ("https://[::1/a.png", "is no address of a picture"),
        ("https://example.org\\@127.0.0.1/", "is no address of a picture"),
        ("https://anna:secret@example.org/a.png", "holds a credential"),
        ("https://@example.org/a.png", "holds a credential"),
        ("https://localhost/a.png", "is not on the public internet"),
        ("https://127.0.0.1:8000/a.png", "is not on the public internet"),
        ("HTTPS://10.0.0.7/a.png", "is not on the public internet"),
        ("https://169.254.169.254?x=a.png", "is not on the public internet"),
        ("https://[::1]/a.png", "is not on the public internet"),
        ("https://[fe80::1]#a.png", "is not on the public internet"),
        ("https://0x7f.1/a.png", "is not on the public internet"),
        ("https://a\r\nHost: b", "is no address of a picture"),
        ("", "is no address of a picture"),
        ("data:image/png,raw", "is no address of a picture"),
        ("https://a/" + "x" * 8192, "is too long"),
        (f"data:text/html;base64,{PIXEL}", "is not a picture"),
        (f"data:image/svg+xml;base64,{PIXEL}", "is not a picture"),
        ("data:image/png;base64,", "is empty"),
        ("data:image/png;base64,@@@", "is not base64"),
        ("data:image/png;base64,ä===", "is not base64"),
        (f"data:image/png;base64,{PIXEL}\n{PIXEL}", "is not base64"),
    ],
    ids=lambda value: value[:30],
)
def test_anything_else_is_refused_with_its_path(url, problem):
    with pytest.raises(InvalidInputError) as refused:
        images.image_of(url, "messages.0.content.1.image_url.url")

    (field,) = refused.value.fields
    assert (field.path, field.problem) == (
        "messages.0.content.1.image_url.url",
        problem,
    )


def test_a_data_url_of_50_mib_is_refused():
    url = "data:image/png;base64," + "A" * (50 * 1024 * 1024)

    with pytest.raises(InvalidInputError) as refused:
        images.image_of(url, "p")

    assert refused.value.fields[0].problem == "is too large"
