"""The rules of waiting, over socket pairs instead of a network."""

import select
import socket
import threading

import pytest

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import (
    CallerGone,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.net.watch import Watch


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def watch_for(
    clock, caller=None, deadline=10.0, first_byte=None, head=None, most_bytes=100
):
    return Watch(
        Deadline.after(deadline, clock),
        caller,
        connect_seconds=5.0,
        first_byte_seconds=first_byte,
        head_seconds=head,
        most_bytes=most_bytes,
    )


def test_the_deadline_ends_the_request(fake_clock):
    watch = watch_for(fake_clock, deadline=10)
    watch.check()

    fake_clock.advance(10)

    with pytest.raises(LLMTimeout, match="did not answer in time") as caught:
        watch.check()
    assert "deadline" in caught.value.details


def test_before_the_first_byte_its_own_time_out_rules(fake_clock):
    watch = watch_for(fake_clock, deadline=10, first_byte=2)

    fake_clock.advance(2)

    with pytest.raises(LLMTimeout) as caught:
        watch.check()
    assert caught.value.details == "No answer began within 2 s."


def test_after_the_first_byte_only_the_deadline_rules(fake_clock):
    watch = watch_for(fake_clock, deadline=10, first_byte=2)
    watch.receive(1)

    fake_clock.advance(9.9)

    watch.check()
    assert watch.has_reply


class TestHead:
    def test_it_must_be_there_in_time_however_it_drips(self, fake_clock):
        watch = watch_for(fake_clock, first_byte=2, head=3)

        with watch.reading_head():
            for _ in range(3):
                watch.receive(1)
                watch.check()
                fake_clock.advance(1)
            with pytest.raises(LLMTimeout) as caught:
                watch.check()

        assert caught.value.details == "The answer had not begun after 3 s."

    def test_its_time_out_is_one_of_the_first_byte_and_of_the_connection_too(
        self, fake_clock
    ):
        watch = watch_for(fake_clock, first_byte=5, head=3)
        fake_clock.advance(3)

        with pytest.raises(LLMTimeout):
            watch.check()
        with watch.connecting(), pytest.raises(LLMTimeout):
            watch.check()

    def test_once_it_is_there_only_the_deadline_rules(self, fake_clock):
        watch = watch_for(fake_clock, head=3)

        with watch.reading_head():
            watch.receive(1)
        fake_clock.advance(9)

        watch.check()


def test_a_first_byte_time_out_behind_the_deadline_does_not_postpone_it(fake_clock):
    watch = watch_for(fake_clock, deadline=1, first_byte=60)

    fake_clock.advance(1)

    with pytest.raises(LLMTimeout) as caught:
        watch.check()
    assert "deadline" in caught.value.details


def test_while_connecting_its_own_time_out_rules(fake_clock):
    watch = watch_for(fake_clock, deadline=10, first_byte=2)

    with watch.connecting():
        fake_clock.advance(4.9)
        watch.check()
        fake_clock.advance(0.1)
        with pytest.raises(LLMUnavailable) as caught:
            watch.check()

    assert caught.value.details == "no connection within 5 s"


def test_the_deadline_holds_while_connecting_too(fake_clock):
    watch = watch_for(fake_clock, deadline=1)

    with watch.connecting():
        fake_clock.advance(1)
        with pytest.raises(LLMTimeout):
            watch.check()


def test_what_is_read_while_connecting_is_no_reply(fake_clock):
    """A proxy's answer to CONNECT must not stop the first-byte time-out."""
    watch = watch_for(fake_clock, first_byte=2)

    with watch.connecting():
        watch.receive(50)
        assert not watch.has_reply

    assert not watch.has_reply
    fake_clock.advance(2)
    with pytest.raises(LLMTimeout):
        watch.check()


def test_more_bytes_than_the_cap_are_a_protocol_error(fake_clock):
    watch = watch_for(fake_clock, most_bytes=100)
    watch.receive(100)

    with pytest.raises(LLMProtocolError):
        watch.receive(1)


def test_the_end_of_the_stream_within_the_headers_is_a_protocol_error(fake_clock):
    watch = watch_for(fake_clock)

    with watch.reading_head():
        watch.receive(0)
        watch.receive(1)
        with pytest.raises(LLMProtocolError):
            watch.receive(0)

    watch.receive(0)


def test_a_quiet_caller_is_still_there(fake_clock, pair):
    ours, _ = pair

    watch_for(fake_clock, caller=ours).check()


def test_a_caller_who_closed_is_gone(fake_clock, pair):
    ours, theirs = pair
    theirs.close()

    with pytest.raises(CallerGone):
        watch_for(fake_clock, caller=ours).check()


def test_a_caller_whose_socket_is_closed_here_is_gone(fake_clock, pair):
    ours, _ = pair
    ours.close()

    with pytest.raises(CallerGone):
        watch_for(fake_clock, caller=ours).check()


def test_pipelined_bytes_are_no_hang_up_and_stay_unread(fake_clock, pair):
    ours, theirs = pair
    theirs.sendall(b"GET /next")
    watch = watch_for(fake_clock, caller=ours)

    watch.check()
    theirs.close()
    watch.check()

    assert ours.recv(100) == b"GET /next"


def test_waiting_returns_when_the_socket_is_ready(fake_clock, pair):
    ours, theirs = pair
    theirs.sendall(b"x")

    watch_for(fake_clock).wait(ours, select.POLLIN)


def test_waiting_ends_when_the_caller_hangs_up(pair):
    """The upstream is silent; only the caller's socket tells."""
    ours, _ = pair
    caller, browser = socket.socketpair()
    watch = watch_for(SystemClock(), caller=caller, deadline=30)
    threading.Timer(0.05, browser.close).start()

    with caller, pytest.raises(CallerGone):
        watch.wait(ours, select.POLLIN)


def test_waiting_ends_at_the_deadline(pair):
    ours, _ = pair
    clock = SystemClock()
    began = clock.monotonic()

    with pytest.raises(LLMTimeout):
        watch_for(clock, deadline=0.05).wait(ours, select.POLLIN)

    assert 0.05 <= clock.monotonic() - began < 1


@pytest.mark.parametrize(
    ("is_idle", "after_seconds", "stale"),
    [(True, 0.0, True), (True, 0.9, True), (True, 1.0, False), (False, 0.0, False)],
)
def test_only_an_idle_connection_that_fails_at_once_was_dead(
    fake_clock, is_idle, after_seconds, stale
):
    watch = watch_for(fake_clock)
    watch.take(is_idle=is_idle)

    fake_clock.advance(after_seconds)

    assert watch.is_stale() is stale


def test_a_connection_that_brought_a_byte_was_not_dead(fake_clock):
    watch = watch_for(fake_clock)
    watch.take(is_idle=True)

    watch.receive(1)

    assert not watch.is_stale()


def test_a_caller_who_sends_more_meanwhile_does_not_end_the_wait(pair):
    """poll() reports the bytes once; they say nothing about the upstream."""
    ours, theirs = pair
    caller, browser = socket.socketpair()
    watch = watch_for(SystemClock(), caller=caller)
    browser.sendall(b"GET /next")
    threading.Timer(0.05, theirs.sendall, [b"x"]).start()

    with caller, browser:
        watch.wait(ours, select.POLLIN)

    assert ours.recv(1) == b"x"


class TestPatience:
    def test_a_tick_ends_the_wait_and_nothing_else(self, pair):
        ours, _ = pair
        clock = SystemClock()
        watch = watch_for(clock)
        began = clock.monotonic()

        with watch.patient(5.0, 0.05), pytest.raises(BlockingIOError):
            watch.wait(ours, select.POLLIN)

        assert 0.05 <= clock.monotonic() - began < 1
        assert not watch.ticked()

    def test_without_a_tick_it_never_ticks(self, fake_clock):
        watch = watch_for(fake_clock)

        with watch.patient(None, None):
            fake_clock.advance(9)
            assert not watch.ticked()

    def test_silence_is_counted_from_the_last_byte(self, fake_clock, pair):
        ours, _ = pair
        watch = watch_for(fake_clock)
        fake_clock.advance(2)
        watch.receive(1)
        fake_clock.advance(3)

        with watch.patient(3.5, 0.0), pytest.raises(BlockingIOError):
            watch.wait(ours, select.POLLIN)
        with watch.patient(3.0, None), pytest.raises(LLMTimeout) as caught:
            watch.wait(ours, select.POLLIN)

        assert caught.value.details == "Nothing came for 3 s."

    def test_silence_behind_the_deadline_does_not_postpone_it(self, fake_clock, pair):
        ours, _ = pair
        watch = watch_for(fake_clock, deadline=1)
        fake_clock.advance(1)

        with watch.patient(60.0, None), pytest.raises(LLMTimeout) as caught:
            watch.wait(ours, select.POLLIN)

        assert "deadline" in caught.value.details

    def test_what_is_ready_is_given_after_any_silence(self, fake_clock, pair):
        ours, theirs = pair
        theirs.sendall(b"x")
        watch = watch_for(fake_clock)
        fake_clock.advance(9)

        with watch.patient(1.0, 0.0):
            watch.wait(ours, select.POLLIN)

    def test_within_the_head_the_first_byte_time_out_counts_again(
        self, fake_clock, pair
    ):
        ours, _ = pair
        watch = watch_for(fake_clock, first_byte=2)

        with watch.reading_head():
            watch.receive(1)
            fake_clock.advance(2)
            with pytest.raises(LLMTimeout) as caught:
                watch.wait(ours, select.POLLIN)

        assert caught.value.details == "Nothing came for 2 s."

    def test_a_head_has_a_cap_of_its_own(self, fake_clock):
        watch = watch_for(fake_clock, most_bytes=10**9)

        with watch.reading_head(), pytest.raises(LLMProtocolError):
            watch.receive(1024 * 1024 + 1)
        watch.receive(1)
