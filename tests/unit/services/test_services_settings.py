"""A thread looks after the settings while nobody asks, and no longer than they live."""

import threading
from queue import SimpleQueue

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

    LookOut(settings, every_seconds=0.01).start()

    assert heard(settings, 3) == ["poll"] * 3


def test_who_asks_does_not_wait_for_the_next_round():
    settings = Settings()
    look_out = LookOut(settings, every_seconds=3600)
    look_out.start()
    assert heard(settings, 1) == ["poll"]

    look_out.ask()

    assert heard(settings, 2) == ["ask", "poll"]


def test_the_thread_ends_with_the_settings():
    settings = Settings()
    look_out = LookOut(settings, every_seconds=0.01)
    others = {*threading.enumerate()}
    look_out.start()
    (thread,) = {*threading.enumerate()} - others

    del settings

    thread.join(10)
    assert not thread.is_alive()
    look_out.ask()  # there is nobody any more to ask
