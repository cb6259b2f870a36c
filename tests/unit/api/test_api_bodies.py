"""How a body is read: whole, once, and never much more than its cap."""

import io
import tracemalloc

import pytest
from flask import Flask, request
from werkzeug.test import create_environ

from flaskllm.api.validation import read_body
from flaskllm.core.errors import InvalidInputError, PayloadTooLarge

MEBIBYTE = 1024 * 1024


class Endless(io.RawIOBase):
    """A body that never ends, and how much of it was read."""

    n_bytes = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.n_bytes += len(buffer)
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def asked(body, length=None, content_type="text/plain"):
    """Return the context of a request whose body its server ends, as gunicorn does."""
    environ = create_environ("/", method="POST")
    environ["wsgi.input"] = io.BytesIO(body) if isinstance(body, bytes) else body
    environ["wsgi.input_terminated"] = True
    environ["CONTENT_TYPE"] = content_type
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return Flask(__name__).request_context(environ)


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 300_000])
def test_a_body_is_read_whole_and_may_be_read_again(size):
    body = b"x" * size

    with asked(body):
        assert read_body(300_000) == body
        assert read_body(300_000) == body
        assert request.get_data() == body


def test_a_form_can_be_read_from_it_afterwards():
    body = b"prompt=hello&type=summary"
    form = "application/x-www-form-urlencoded"

    with asked(body, len(body), content_type=form):
        assert read_body(100) == body
        assert request.form.to_dict() == {"prompt": "hello", "type": "summary"}


def test_a_body_at_the_cap_is_read_and_one_byte_more_is_refused():
    with asked(b"x" * 1000):
        assert len(read_body(1000)) == 1000
    with asked(b"x" * 1001), pytest.raises(PayloadTooLarge):
        read_body(1000)


def test_an_announced_length_over_the_cap_is_refused_unread():
    body = Endless()

    with asked(body, 1001), pytest.raises(PayloadTooLarge):
        read_body(1000)

    assert body.n_bytes == 0


def test_an_endless_body_costs_about_its_cap_once():
    body = Endless()

    with asked(body):
        tracemalloc.start()
        with pytest.raises(PayloadTooLarge):
            read_body(8 * MEBIBYTE)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert body.n_bytes <= 8 * MEBIBYTE + 1
    assert most < 1.1 * 8 * MEBIBYTE


def test_a_good_body_is_never_held_more_than_twice():
    body = bytes(8 * MEBIBYTE)

    with asked(body):
        tracemalloc.start()
        assert len(read_body(10 * MEBIBYTE)) == len(body)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 2.1 * len(body)


def test_a_body_shorter_than_announced_is_refused():
    with asked(b"short", 10), pytest.raises(InvalidInputError) as caught:
        read_body(1000)

    assert "ended after 5 bytes" in caught.value.details
