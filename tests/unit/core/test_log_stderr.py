"""The standard error stream when nobody reads it: nobody waits, and it is counted."""

import collections
import itertools
import logging
import os
import socket
import sys
from contextlib import contextmanager

import pytest

from flaskllm.core import logs
from flaskllm.core.log_sinks import LOST
from flaskllm.core.log_stderr import StderrSink
from flaskllm.core.metrics import Metrics

log = logging.getLogger("flaskllm.test_stderr")


@contextmanager
def stderr_is(number, monkeypatch):
    with open(number, "w", closefd=False) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def fill(sink):
    """Write until nothing more is taken."""
    line = "x" * 2000 + "\n"
    with pytest.raises(BlockingIOError):
        collections.deque(map(sink.write, itertools.repeat(line)), maxlen=0)


def drain(reading):
    os.set_blocking(reading, False)
    heard = b""
    while True:
        try:
            heard += os.read(reading, 1 << 20)
        except BlockingIOError:
            return heard


def test_a_pipe_that_is_full_refuses_a_line_and_takes_the_next_when_it_is_read(
    pipe, monkeypatch
):
    sink = StderrSink()
    with stderr_is(pipe[1], monkeypatch):
        fill(sink)
        assert os.get_blocking(pipe[1])  # others may share it
        drain(pipe[0])
        sink.write("again\n")

    assert drain(pipe[0]) == b"again\n"


def test_a_line_that_was_cut_off_does_not_swallow_the_next(pipe, monkeypatch):
    sink = StderrSink()
    with stderr_is(pipe[1], monkeypatch):
        with pytest.raises(BlockingIOError, match="beginning"):
            sink.write("x" * 1_000_000 + "\n")
        drain(pipe[0])
        sink.write("whole\n")

    assert drain(pipe[0]) == b"\nwhole\n"


def test_a_socket_that_is_full_refuses_a_line(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs, stderr_is(ours.fileno(), monkeypatch):
        sink = StderrSink()
        fill(sink)
        sink.close()


def test_a_file_takes_every_line(tmp_path, monkeypatch):
    with open(tmp_path / "log", "a") as file, stderr_is(file.fileno(), monkeypatch):
        StderrSink().write("one\n")

        assert sys.stderr.tell()


def test_lines_that_are_lost_are_counted_and_keep_nobody_waiting(pipe, monkeypatch):
    before = LOST.count
    with stderr_is(pipe[1], monkeypatch):
        logs.configure("INFO", "json", None)
        for _ in range(2000):
            log.info("x" * 500)

    assert LOST.count > before
    shown = Metrics().render().decode()
    assert f"flaskllm_log_lines_lost_total {float(LOST.count)}" in shown


def test_a_line_that_is_under_way_goes_where_it_was_begun(pipe, monkeypatch, tmp_path):
    """Its number is free for another file only once nobody writes to it."""
    sink, other = StderrSink(), tmp_path / "other"
    with stderr_is(pipe[1], monkeypatch):
        before = len(os.listdir("/proc/self/fd"))
        send = sink._find()
        sink.close()  # as another thread does
        with other.open("w"):
            send(b"late\n")
        del send

        assert len(os.listdir("/proc/self/fd")) == before

    assert (drain(pipe[0]), other.read_text()) == (b"late\n", "")
