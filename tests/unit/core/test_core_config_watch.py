"""A changed file is read again, a bad one leaves the old settings in force."""

import os
import threading

import pytest

from flaskllm.core.config_problems import ConfigError, Problem
from flaskllm.core.config_watch import ConfigWatch


class Desk:
    """A watched file, what was rejected, and a clock moved by hand."""

    def __init__(self, folder):
        self.path = folder / "f.yaml"
        self.other = folder / ".env"
        self.mark = folder / "reload"
        self.build = str
        self.rejected = []
        self.loads = 0
        self.now = 0.0
        self.wall_seconds = 0.0  # so that every file is fresh
        self.write("one")
        self.watch = ConfigWatch(
            (self.path, self.other),
            self.load,
            self.rejected.append,
            lambda: self.wall_seconds,
            self.mark,
        )

    def write(self, text):
        self.path.write_text(text, encoding="utf-8")

    def load(self):
        self.loads += 1
        text = self.path.read_text(encoding="utf-8")
        if text.startswith("bad"):
            raise ConfigError([Problem("f.yaml", text, "good")])
        return text

    def look(self):
        self.now += 1.0
        return self.watch.poll(self.now, self.build)

    def settle(self):
        """Look twice: the first look sees the change, the second that it stands."""
        assert self.look() is None
        return self.look()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_an_unchanged_file_is_not_read(desk):
    assert [desk.look() for _ in range(5)] == [None] * 5
    assert desk.loads == 0


def test_a_changed_file_is_given_once(desk):
    desk.write("two!")

    assert desk.settle() == "two!"
    assert desk.settle() is None
    assert desk.loads == 1


def test_it_looks_once_a_second_at_most(desk):
    desk.watch.poll(0.0, str)
    desk.write("two!")

    assert [desk.watch.poll(now, str) for now in (0.5, 0.99, 1.0, 1.5, 1.99)] == [
        None
    ] * 5
    assert desk.watch.poll(2.0, str) == "two!"


def test_a_file_that_is_still_growing_waits(desk):
    for text in ("tw", "two", "two!"):
        desk.write(text)
        assert desk.look() is None

    assert desk.look() == "two!"


def test_a_change_that_is_over_for_a_second_counts_at_once(desk):
    desk.write("two!")
    os.utime(desk.path, (1000, 1000))

    desk.wall_seconds = 1001.0
    assert desk.look() is None
    desk.write("three")
    os.utime(desk.path, (1002, 1002))
    desk.wall_seconds = 1003.1
    assert desk.look() == "three"


def test_a_file_that_has_gone_is_no_quiet_one(desk):
    """It may be on its way back under an editor that renames."""
    desk.path.unlink()
    desk.wall_seconds = 1e12

    assert desk.look() is None
    assert desk.rejected == []
    desk.write("two!")
    assert desk.look() == "two!"


def test_a_file_put_in_place_of_the_other_counts(desk, tmp_path):
    new = tmp_path / "new"
    new.write_text("two", encoding="utf-8")
    status = desk.path.stat()
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(desk.path)

    assert desk.settle() == "two"


def test_a_file_that_was_only_touched_is_not_read(desk):
    os.utime(desk.path, (1, 1))

    assert desk.settle() is None
    assert desk.loads == 0


def test_a_bad_file_is_rejected_once_for_each_content(desk):
    desk.write("bad 1")
    assert desk.settle() is None
    assert desk.settle() is None
    os.utime(desk.path, (1, 1))
    assert desk.settle() is None
    desk.write("bad 22")
    assert desk.settle() is None

    assert [error.problems[0].found for error in desk.rejected] == ["bad 1", "bad 22"]


def test_the_old_content_after_a_bad_one_is_no_change(desk):
    desk.write("bad 1")
    desk.settle()
    desk.write("one")

    assert desk.settle() is None
    assert desk.loads == 1


def test_a_file_that_has_gone_is_rejected_and_may_come_back(desk):
    desk.path.unlink()
    assert desk.settle() is None
    assert desk.rejected[0].problems[0].path == "f.yaml"
    assert desk.loads == 0

    desk.write("two!")
    assert desk.settle() == "two!"


def test_a_file_that_was_gone_before_the_first_look_is_missed_too(desk, tmp_path):
    """A worker may begin with what its file said, and the file be gone."""
    desk.path.unlink()
    files = (desk.path, desk.other)
    watch = ConfigWatch(files, desk.load, desk.rejected.append, needed=files[:1])

    watch.ask()

    assert watch.poll(0.0, str) is None
    assert desk.rejected[0].problems[0].path == "f.yaml"
    assert watch.is_rejected


def test_a_file_that_appears_counts(desk):
    desk.other.write_text("A=1", encoding="utf-8")

    assert desk.settle() == "one"


def test_another_thread_never_waits_and_never_reads_twice(tmp_path):
    desk = Desk(tmp_path)
    inside, go_on = threading.Event(), threading.Event()

    def slow_load():
        inside.set()
        assert go_on.wait(10)
        return desk.load()

    watch = ConfigWatch((desk.path,), slow_load, pytest.fail)
    desk.write("two!")
    watch.poll(1.0, str)
    results = []
    thread = threading.Thread(target=lambda: results.append(watch.poll(2.0, str)))
    thread.start()
    assert inside.wait(10)

    assert watch.poll(9.0, str) is None

    go_on.set()
    thread.join(10)
    assert results == ["two!"]
    assert desk.loads == 1


class TestAsked:
    """Whoever asks, or writes the mark, says that the files are complete."""

    def test_all_is_read_at_once_and_even_what_is_unchanged(self, desk):
        assert desk.look() is None

        desk.watch.ask()

        assert desk.watch.poll(desk.now, str) == "one"
        assert desk.watch.poll(desk.now, str) is None
        assert desk.look() is None
        assert desk.loads == 1

    def test_a_fresh_change_does_not_wait_for_a_second_look(self, desk):
        desk.write("two!")
        desk.watch.ask()

        assert desk.look() == "two!"
        assert desk.settle() is None

    def test_a_mark_that_is_written_asks_and_one_that_stands_does_not(self, desk):
        desk.mark.write_text("1", encoding="utf-8")
        assert desk.look() == "one"
        assert desk.settle() is None

        desk.mark.write_text("22", encoding="utf-8")
        assert desk.look() == "one"
        desk.mark.unlink()
        assert desk.settle() is None

    def test_a_mark_from_before_the_start_asks_for_nothing(self, tmp_path):
        (tmp_path / "reload").touch()

        assert Desk(tmp_path).look() is None

    def test_a_bad_file_is_told_each_time(self, desk):
        desk.write("bad 1")
        for _ in range(2):
            desk.watch.ask()
            assert desk.look() is None

        assert len(desk.rejected) == 2

    def test_who_asks_during_a_look_is_heard_at_the_next(self, tmp_path):
        desk = Desk(tmp_path)

        def build(text):
            desk.watch.ask()
            assert desk.watch.poll(99.0, str) is None  # this look is not over
            return text

        desk.watch.ask()

        assert desk.watch.poll(0.0, build) == "one"
        assert desk.watch.poll(0.0, str) == "one"

    def test_who_asks_twice_is_heard_once(self, desk):
        desk.watch.ask()
        desk.watch.ask()

        assert desk.watch.poll(0.0, str) == "one"
        assert desk.watch.poll(0.0, str) is None


class TestRejected:
    def refuse(self, text):
        raise ConfigError([Problem("f.yaml", f"{text} cannot be built", "good")])

    def test_a_bad_content_is_known_until_a_good_one_comes(self, desk):
        assert not desk.watch.is_rejected
        desk.write("bad 1")
        desk.settle()
        assert desk.watch.is_rejected

        desk.write("two!")
        assert desk.settle() == "two!"
        assert not desk.watch.is_rejected

    def test_the_old_content_is_good_again(self, desk):
        desk.write("bad 1")
        desk.settle()
        desk.write("one")

        assert desk.settle() is None
        assert not desk.watch.is_rejected

    def test_what_cannot_be_built_is_rejected_too_and_was_never_in_use(self, desk):
        desk.write("two!")
        desk.build = self.refuse
        assert desk.settle() is None
        assert desk.watch.is_rejected
        assert [each.problems[0].found for each in desk.rejected] == [
            "two! cannot be built"
        ]

        desk.build = str
        desk.write("one")
        assert desk.settle() is None
        assert not desk.watch.is_rejected
        assert desk.loads == 1
