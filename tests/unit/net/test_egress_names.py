"""Looking names up within a time."""

import socket
import threading

import pytest

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.net.egress_errors import EgressFailed, Failure
from flaskllm.net.egress_names import Names

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]


def after(seconds):
    return Deadline.after(seconds, SystemClock())


def failing(error):
    def look_up(*_, **__):
        raise error

    return Names(look_up)


def test_a_name_is_asked_for_once_as_bytes_and_all_addresses_come_back():
    asked = []

    def look_up(*place, **options):
        asked.append((place, options))
        return FOUND

    assert Names(look_up).find("hooks.example", 443, after(5)) == FOUND
    assert asked == [((b"hooks.example", 443), {"type": socket.SOCK_STREAM})]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, ""), Failure.NAME_NOT_FOUND),
        (socket.gaierror(socket.EAI_NODATA, ""), Failure.NAME_NOT_FOUND),
        (socket.gaierror(socket.EAI_AGAIN, ""), Failure.LOOK_UP_FAILED),
        (OSError(5, "input/output"), Failure.LOOK_UP_FAILED),
    ],
)
def test_why_there_is_no_address_is_told(error, reason):
    with pytest.raises(EgressFailed) as caught:
        failing(error).find("hooks.example", 443, after(5))

    assert caught.value.reason is reason


def test_a_name_without_an_address_is_not_found():
    with pytest.raises(EgressFailed) as caught:
        Names(lambda *_, **__: []).find("hooks.example", 443, after(5))

    assert caught.value.reason is Failure.NAME_NOT_FOUND


def test_a_silent_name_server_holds_nobody_and_few_threads():
    speak, asked = threading.Event(), []

    def look_up(*place, **_):
        asked.append(place)
        speak.wait(10)
        return FOUND

    names = Names(look_up, most_at_once=2)
    for _ in range(3):
        with pytest.raises(EgressFailed) as caught:
            names.find("hooks.example", 443, after(0.02))
        assert caught.value.reason is Failure.TIMEOUT
    assert len(asked) == 2

    speak.set()

    assert names.find("hooks.example", 443, after(5)) == FOUND


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%lo"])
def test_an_address_waits_for_no_name_server(address):
    threads = []

    def look_up(*_, **__):
        threads.append(threading.current_thread())
        return FOUND

    assert Names(look_up).find(address, 443, after(5)) == FOUND
    assert threads == [threading.current_thread()]


def test_a_thread_that_cannot_start_takes_no_place(monkeypatch):
    names = Names(lambda *_, **__: FOUND, most_at_once=1)

    def no_thread(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(EgressFailed):
            names.find("hooks.example", 443, after(5))

    assert names.find("hooks.example", 443, after(5)) == FOUND
