"""The rules of log files."""

import contextlib
import fcntl
import itertools
import resource
import stat
import threading

import pytest

from flaskllm.core import log_sinks


def small_sink(path, kind=log_sinks.FileSink, rotated_files=5):
    """Return a sink that looks at its file at every line."""
    every_second = itertools.count(1).__next__
    return kind(str(path), 100, rotated_files, monotonic=every_second)


def logs_in(folder):
    return sorted(path for path in folder.iterdir() if path.suffix != ".lock")


def write(sink, text):
    sink.write(f"{text}\n")


def test_a_full_file_is_rotated_and_five_are_kept(tmp_path):
    file = tmp_path / "a.log"
    sink = small_sink(file)

    for number in range(9):
        write(sink, f"{number}" * 60)
    sink.close()

    kept = {path.name: path.read_text()[0] for path in logs_in(tmp_path)}
    assert kept == {"a.log": "8"} | {f"a.log.{n}": str(8 - n) for n in range(1, 6)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_another_process_rotated_is_followed(tmp_path):
    file = tmp_path / "a.log"
    ours, theirs = small_sink(file), small_sink(file)
    write(ours, "ours")
    write(theirs, "a" * 60)
    write(theirs, "b" * 60)

    write(ours, "after")
    ours.close(), theirs.close()

    assert file.read_text().splitlines() == ["b" * 60, "after"]
    assert (tmp_path / "a.log.1").read_text().startswith("ours")


def test_it_looks_for_rotations_ten_times_a_second_at_most(tmp_path):
    """Each look takes longer than the line; what is written is not lost."""
    file, now = tmp_path / "a.log", [5.0]
    sink = log_sinks.FileSink(str(file), monotonic=lambda: now[0])
    write(sink, "one")
    file.rename(tmp_path / "a.log.1")

    now[0] = 5.09
    write(sink, "two")
    now[0] = 5.11
    write(sink, "three")
    sink.close()

    assert (tmp_path / "a.log.1").read_text() == "one\ntwo\n"
    assert file.read_text() == "three\n"


def test_a_full_file_is_seen_at_once(tmp_path):
    sink = log_sinks.FileSink(str(tmp_path / "a.log"), 100, monotonic=lambda: 5.0)

    for number in range(3):
        write(sink, f"{number}" * 60)
    sink.close()

    assert [path.read_text()[0] for path in logs_in(tmp_path)] == ["2", "1", "0"]


def test_a_file_that_was_moved_away_is_made_again(tmp_path):
    file = tmp_path / "a.log"
    sink = small_sink(file)
    write(sink, "one")
    file.rename(tmp_path / "moved")

    write(sink, "two")
    sink.close()

    assert file.read_text() == "two\n"


def test_one_rotation_is_made_when_two_processes_want_it(tmp_path):
    """The second gets the lock when the first is done, and finds a new file."""
    file = tmp_path / "a.log"
    theirs = small_sink(file)

    class Beaten(log_sinks.FileSink):
        def alone(self):
            write(theirs, "theirs".ljust(60))
            return super().alone()

    ours = small_sink(file, Beaten)
    write(ours, "first".ljust(60))
    write(ours, "ours")
    write(ours, "ours".ljust(60))
    ours.close(), theirs.close()

    assert [path.name for path in logs_in(tmp_path)] == ["a.log", "a.log.1"]
    assert [line.strip() for line in file.read_text().splitlines()] == [
        "theirs",
        "ours",
    ]


def test_a_line_that_is_too_long_gets_a_file_of_its_own(tmp_path):
    file = tmp_path / "a.log"
    sink = small_sink(file)

    for number in range(2):
        write(sink, f"{number}" * 200)
    sink.close()

    assert [path.read_text()[0] for path in logs_in(tmp_path)] == ["1", "0"]


def test_the_lock_is_held_until_the_last_file_is_renamed(tmp_path):
    """Else a process that waits would rotate the rotated file away."""
    held = []

    class Watched(log_sinks.FileSink):
        def shift(self):
            super().shift()
            with (tmp_path / "a.log.lock").open() as other:
                try:
                    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held.extend(logs_in(tmp_path))

    sink = small_sink(tmp_path / "a.log", Watched)
    write(sink, "a" * 60)
    write(sink, "b" * 60)
    sink.close()

    assert held == [tmp_path / "a.log.1"]


def test_a_sink_that_was_closed_opens_its_file_again(tmp_path):
    sink = small_sink(tmp_path / "a.log")
    sink.close()
    write(sink, "one")
    sink.close()
    write(sink, "two")
    sink.close()

    assert (tmp_path / "a.log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("files", [1, 4])
def test_no_line_is_lost_when_several_rotate_at_once(tmp_path, files):
    """Threads of one process share a sink, processes a file."""
    file = tmp_path / "a.log"
    sinks = [small_sink(file, rotated_files=200) for _ in range(files)]

    def fill(number):
        for line in range(25):
            write(sinks[number % files], f"{number}-{line}-".ljust(60, "x"))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for sink in sinks:
        sink.close()

    lines = [
        line for path in logs_in(tmp_path) for line in path.read_text().splitlines()
    ]
    assert len(set(lines)) == len(lines) == 100


def test_the_folder_is_made_for_its_owner_alone(tmp_path):
    sink = small_sink(tmp_path / "logs" / "a.log")

    write(sink, "one")
    sink.close()

    assert (tmp_path / "logs" / "a.log").read_text() == "one\n"
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


@contextlib.contextmanager
def limited(kind, most):
    """Give this process no more of something, such as room in files or descriptors."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def test_a_line_of_which_only_the_beginning_found_room_is_lost_alone(tmp_path):
    path = tmp_path / "gateway.log"
    sink = log_sinks.FileSink(str(path))
    with limited(resource.RLIMIT_FSIZE, 10):
        write(sink, "first")
        for why in ("only the beginning", "File too large"):
            with pytest.raises(OSError, match=why):
                write(sink, "second")

    write(sink, "third")
    sink.close()

    assert path.read_text() == "first\nsec\nthird\n"


def test_the_beginning_of_a_line_spoils_none_of_another_process(tmp_path):
    path = tmp_path / "gateway.log"
    ours, theirs = (log_sinks.FileSink(str(path)) for _ in range(2))
    write(theirs, "zero")
    with (
        limited(resource.RLIMIT_FSIZE, path.stat().st_size + 8),
        pytest.raises(OSError, match="only the beginning"),
    ):
        write(ours, "of many words")

    write(theirs, "theirs")
    write(ours, "ours")
    ours.close(), theirs.close()

    assert path.read_text() == "zero\nof many\ntheirs\nours\n"


def test_what_cannot_be_ended_at_once_is_ended_by_the_next_line(tmp_path):
    path = tmp_path / "gateway.log"
    sink = log_sinks.FileSink(str(path))
    write(sink, "zero")
    with (
        limited(resource.RLIMIT_FSIZE, 10),
        limited(resource.RLIMIT_NOFILE, 0),  # to end it takes one more
        pytest.raises(OSError, match="only the beginning"),
    ):
        write(sink, "second")

    write(sink, "third")
    sink.close()

    assert path.read_text() == "zero\nsecon\nthird\n"


def test_a_file_that_was_left_within_a_line_is_gone_on_with_in_a_new_one(tmp_path):
    path = tmp_path / "gateway.log"
    path.write_text("first\nseco")

    sink = log_sinks.FileSink(str(path))
    write(sink, "third")
    sink.close()

    assert path.read_text() == "first\nseco\nthird\n"
