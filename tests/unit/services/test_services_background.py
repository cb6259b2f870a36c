"""Work beside the requests: one thread per process, and none that is not needed."""

import gc
import os
import threading

import pytest

from flaskllm.services.background import Errand, Rounds

PATIENCE = 5.0


def threads(name):
    return [each for each in threading.enumerate() if each.name == name]


class TestErrand:
    def test_it_is_done_when_somebody_asks(self):
        done = []
        errand = Errand(lambda: done.append(len(done)), "errand-1")

        assert threads("errand-1") == []
        assert errand.ask(PATIENCE)
        assert errand.ask(PATIENCE)

        assert done == [0, 1]
        assert len(threads("errand-1")) == 1

    def test_nobody_waits_longer_than_they_will(self):
        may_end = threading.Event()
        errand = Errand(lambda: may_end.wait(PATIENCE), "errand-2")

        assert errand.ask() is False
        assert errand.ask(0.01) is False
        may_end.set()

    def test_many_who_ask_at_once_are_one_errand_or_two(self):
        began, may_end, done = threading.Event(), threading.Event(), []

        def run():
            began.set()
            may_end.wait(PATIENCE)
            done.append(1)

        errand = Errand(run, "errand-3")
        errand.ask()
        assert began.wait(PATIENCE)
        for _ in range(50):
            errand.ask()
        may_end.set()
        errand.ask(PATIENCE)

        assert 1 <= len(done) <= 3

    def test_a_forked_process_has_a_thread_of_its_own(self, tmp_path):
        told = tmp_path / "told"

        def run():
            with told.open("a") as file:
                file.write(f"{os.getpid()}\n")

        errand = Errand(run, "errand-4")
        assert errand.ask(PATIENCE)
        child = os.fork()
        if child == 0:
            os._exit(0 if errand.ask(PATIENCE) else 1)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert told.read_text() == f"{os.getpid()}\n{child}\n"


class Worker:
    """Counts its rounds, and tells when there were three."""

    def __init__(self, name):
        self.rounds = 0
        self.has_three = threading.Event()
        self.thread = Rounds(self.run, 0.001, name)

    def run(self):
        self.rounds += 1
        if self.rounds >= 3:
            self.has_three.set()


class TestRounds:
    def test_it_goes_on_and_on_in_one_thread(self):
        worker = Worker("rounds-1")

        assert threads("rounds-1") == []
        worker.thread.begin()
        worker.thread.begin()

        assert worker.has_three.wait(PATIENCE)
        assert len(threads("rounds-1")) == 1
        assert threads("rounds-1")[0].daemon

    def test_it_ends_when_whoever_works_is_gone(self):
        worker = Worker("rounds-2")
        worker.thread.begin()
        assert worker.has_three.wait(PATIENCE)
        (thread,) = threads("rounds-2")

        del worker
        gc.collect()

        thread.join(PATIENCE)
        assert not thread.is_alive()

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_process_begins_its_own(self):
        worker = Worker("rounds-3")
        worker.thread.begin()
        assert worker.has_three.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            worker.has_three.clear()
            worker.rounds = 0
            worker.thread.begin()
            os._exit(0 if worker.has_three.wait(PATIENCE) else 1)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
