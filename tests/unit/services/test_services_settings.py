"""A thread looks after the settings while nobody asks, and no longer than they live."""

import threading
from queue import SimpleQueue

from log_lines import ours

from flaskllm.services.settings import LookOut


class Settings:
    """Notes in a queue what is asked of it."""

    def __init__(self):
        self.heard = SimpleQueue()

    def ask(self):
        self.heard.put("ask")

    def poll(self):
        self.heard.put("poll")


def heard(settings, count):
    return [settings.heard.get(timeout=10) for _ in range(count)]


def test_it_polls_again_and_again():
    settings = Settings()
    look_out = LookOut(settings, every_seconds=0.01)

    look_out.start()

    assert heard(settings, 3) == ["poll"] * 3


def test_who_asks_does_not_wait_for_the_next_round():
    settings = Settings()
    look_out = LookOut(settings, every_seconds=3600)
    look_out.start()

    look_out.ask()

    assert heard(settings, 2) == ["ask", "poll"]


def test_who_asks_before_it_began_is_heard_by_the_settings():
    settings = Settings()

    LookOut(settings).ask()

    assert heard(settings, 1) == ["ask"]


def test_a_fault_that_nobody_foresaw_is_logged_and_does_not_end_it(caplog):
    class Broken(Settings):
        def poll(self):
            super().poll()
            raise KeyError("somebody's text")

    settings = Broken()
    look_out = LookOut(settings, every_seconds=0.01)

    look_out.start()

    assert heard(settings, 3) == ["poll"] * 3
    assert ours(caplog)[0].fields == {"code": "KeyError"}


def test_the_thread_ends_with_who_looks_out():
    settings = Settings()
    look_out = LookOut(settings, every_seconds=0.01)
    others = {*threading.enumerate()}
    look_out.start()
    (thread,) = {*threading.enumerate()} - others

    del look_out

    thread.join(10)
    assert not thread.is_alive()
