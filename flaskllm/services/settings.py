"""What the faces may know and ask of the settings in force."""

from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Literal, Protocol, TypeAlias
from weakref import ref

SettingsState: TypeAlias = Literal["current", "rejected"]
"""`rejected`: the files hold something that cannot be used, so older ones stand."""


class LiveSettings(Protocol):
    """The settings in force, which change while the process runs."""

    def poll(self) -> None:
        """Take up what changed; cheap, and for any thread to call at any time."""
        ...

    def ask(self) -> None:
        """Let the next `poll` read everything anew, also what seems unchanged.

        It takes no lock, so that the handler of a signal may call it.
        """
        ...

    def version(self) -> str:
        """Return what tells these settings from others: 12 hexadecimal digits."""
        ...

    def settings_state(self) -> SettingsState:
        """Tell whether the settings in force are those that the files hold."""
        ...


class LookOut:
    """Takes up changed settings in a thread of its own, also while nobody asks.

    The thread ends when the settings are gone, or with its process.
    """

    def __init__(self, settings: LiveSettings, every_seconds: float = 1.0) -> None:
        """Keep what is looked after, without keeping it alive; nothing is started."""
        self._settings = ref(settings)
        self._every_seconds = every_seconds
        # Unlike an event's, its `put` may interrupt itself: signals come in bursts.
        self._wanted: SimpleQueue[None] = SimpleQueue()

    def start(self) -> None:
        """Begin."""
        Thread(target=self._work, name="flaskllm-settings", daemon=True).start()

    def ask(self) -> None:
        """Have everything read anew, at once; a signal's handler may call it."""
        settings = self._settings()
        if settings is not None:
            settings.ask()
            self._wanted.put(None)

    def _work(self) -> None:
        while self._look():
            with suppress(Empty):
                self._wanted.get(timeout=self._every_seconds)

    def _look(self) -> bool:
        """Take up what changed; tell whether there is still something to look after."""
        settings = self._settings()
        if settings is not None:
            settings.poll()
        return settings is not None
