"""What the faces may know and ask of the settings in force."""

import logging
from contextlib import suppress
from typing import Literal, Protocol, TypeAlias

from flaskllm.core import logs
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.background import Rounds

_log = logging.getLogger(__name__)

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

    The thread ends when this is gone, or with its process.
    """

    def __init__(self, settings: LiveSettings, every_seconds: float = 1.0) -> None:
        """Keep what is looked after; nothing is started."""
        self._settings = settings
        self._rounds = Rounds(self._look, every_seconds, "settings")

    def start(self) -> None:
        """Begin; without a thread for it only who asks a model takes them up."""
        with suppress(ServiceUnavailable):
            self._rounds.begin()

    def ask(self) -> None:
        """Have everything read anew, at once; a signal's handler may call it."""
        self._settings.ask()
        self._rounds.hurry()

    def _look(self) -> None:
        try:
            self._settings.poll()
        except Exception as error:  # the thread that looks must live on
            code = type(error).__name__
            logs.event(_log, logging.ERROR, "settings_not_read", code=code)
