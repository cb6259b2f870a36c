"""Calls of tools one after the other, for dialects that tell them one by one."""

from collections.abc import Iterable
from dataclasses import replace

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.llm.streams import ToolFragment


class ToolOrder:
    """Gives the fragments of one answer back so that no two calls are mixed.

    Nearly every upstream writes one call to its end before the next, and then each
    fragment passes at once. Where a call begins while the one before it is not yet
    whole JSON, it waits. Between the pieces of one call nothing else can be told.
    """

    def __init__(self) -> None:
        """Start before the first fragment."""
        self._current: int | None = None
        self._arguments: list[str] = []
        self._done: set[int] = set()
        self._waiting: dict[int, ToolFragment] = {}

    def feed(self, fragment: ToolFragment) -> tuple[ToolFragment, ...]:
        """Return what can be told now; a new index ends the call before it.

        Raises:
            LLMProtocolError: Arguments come for a call that was over.
        """
        index = fragment.index
        if index in self._done:
            if fragment.arguments.strip():
                raise LLMProtocolError(
                    details="The upstream went on with a call that was over."
                )
            return ()
        if index == self._current or (not self._waiting and self._is_free()):
            return (self._tell(fragment),)
        self._wait(fragment)
        return ()

    def interrupt(self) -> None:
        """End the call that is being told: something else is told now."""
        if self._current is not None:
            self._done.add(self._current)
            self._current = None
            self._arguments.clear()

    def end(self) -> Iterable[ToolFragment]:
        """Return the calls that waited, each in one fragment."""
        waiting = tuple(self._waiting.values())
        self._waiting.clear()
        return waiting

    def _is_free(self) -> bool:
        """Tell whether no call is being told, or only one that is whole."""
        if self._current is None:
            return True
        return read_object("".join(self._arguments)) is not None

    def _tell(self, fragment: ToolFragment) -> ToolFragment:
        if fragment.index != self._current:
            self.interrupt()
        self._current = fragment.index
        self._arguments.append(fragment.arguments)
        return fragment

    def _wait(self, fragment: ToolFragment) -> None:
        before = self._waiting.get(fragment.index)
        if before is None:
            self._waiting[fragment.index] = fragment
            return
        self._waiting[fragment.index] = replace(
            before,
            id=before.id or fragment.id,
            name=before.name or fragment.name,
            arguments=before.arguments + fragment.arguments,
            signature=before.signature or fragment.signature,
        )
