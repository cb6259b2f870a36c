"""Calls of tools in OpenAI's dialect, whole and in fragments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flaskllm.core.ids import new_id
from flaskllm.core.json_text import dump, read_object
from flaskllm.llm.parts import ToolCall
from flaskllm.llm.streams import ToolFragment


def read_call(call: Mapping[str, Any]) -> ToolCall | None:
    """Return a whole call, or None when it names no tool.

    Some services leave the id empty (Gemini's OpenAI route): then it gets one.
    """
    identity, name, arguments = _read(call)
    return ToolCall(identity or new_id("call"), name, arguments) if name else None


def words_of_call(call: Mapping[str, Any]) -> str:
    """Return what a model wrote for a call, or for a fragment of one."""
    function = call.get("function")
    told = function if isinstance(function, dict) else {}
    return "".join(
        told[name] for name in ("name", "arguments") if isinstance(told.get(name), str)
    )


@dataclass(slots=True)
class _Begun:
    """A call of which fragments come; it is told once its name is known.

    `waiting` are its arguments until then; `is_whole` tells that it was told with
    all of them at once.
    """

    index: int
    upstream_id: str
    waiting: list[str] = field(default_factory=list)
    is_told: bool = False
    is_whole: bool = False

    def tell(self, name: str) -> ToolFragment:
        """Return the first fragment to tell, with all that waited for the name."""
        arguments = "".join(self.waiting)
        self.waiting.clear()
        self.is_told = True
        self.is_whole = read_object(arguments) is not None
        told_id = self.upstream_id or new_id("call")
        return ToolFragment(self.index, told_id, name, arguments)

    def is_other(self, identity: str, name: str) -> bool:
        """Tell whether a fragment that looks like one of this call begins another."""
        if not (self.is_told and name):
            return False
        return identity != self.upstream_id if identity else self.is_whole


class Fragments:
    """Tells the calls of one streamed answer apart, and says id and name once.

    A service numbers its calls by `index`. Some leave it out or give every call
    the same one; some send another id with each fragment, and some the name again.
    So a new call is a new index, or a name that comes with another id, or without
    one (Gemini's OpenAI route) when the call before was whole.
    """

    def __init__(self) -> None:
        """Start before the first fragment."""
        self._begun: list[_Begun] = []
        self._by_index: dict[int, _Begun] = {}

    def read(self, calls: tuple[dict[str, Any], ...]) -> Iterator[ToolFragment]:
        """Yield the fragments in their canonical form."""
        for call in calls:
            identity, name, arguments = _read(call)
            begun = self._find(call.get("index"), identity, name)
            if begun.is_told:
                if arguments:
                    begun.is_whole = False
                    yield ToolFragment(begun.index, arguments=arguments)
                continue
            begun.waiting.append(arguments)
            begun.upstream_id = begun.upstream_id or identity
            if name:
                yield begun.tell(name)

    def _find(self, index: Any, identity: str, name: str) -> _Begun:
        """Return the call that a fragment belongs to, a new one when it is new."""
        if isinstance(index, int):
            begun = self._by_index.get(index)
        else:
            begun = self._begun[-1] if self._begun else None
        if begun is None or begun.is_other(identity, name):
            begun = _Begun(len(self._begun), identity)
            self._begun.append(begun)
        if isinstance(index, int):
            self._by_index[index] = begun
        return begun


def _read(call: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return id, name and arguments; what is missing is empty."""
    function = call.get("function")
    told = function if isinstance(function, dict) else {}
    identity, name = call.get("id"), told.get("name")
    arguments = told.get("arguments")
    if isinstance(arguments, dict):
        arguments = dump(arguments).decode()
    return (
        identity if isinstance(identity, str) else "",
        name if isinstance(name, str) else "",
        arguments if isinstance(arguments, str) else "",
    )
