"""Asks this machine's ports which model servers listen there.

Only 127.0.0.1 is asked, directly, and nothing is loaded or changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import APIError, LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.llm.providers import Describer, ListedModel, Lister, build_provider
from flaskllm.net.transport import HttpReply, HttpRequest, Transport

# Ollama, vLLM, llama.cpp's server, LM Studio, SGLang.
DEFAULT_PORTS: Mapping[int, str] = {
    11434: "ollama",
    8000: "vllm",
    8080: "llamacpp",
    1234: "lmstudio",
    30000: "sglang",
}

_SECONDS = 1.0
_MOST_DESCRIBED = 100
_OK = 200
_UNAUTHORISED = (401, 403)


@dataclass(frozen=True, slots=True)
class Server:
    """What listens on a port. `name` is a name for it, `kind` the provider's."""

    port: int
    name: str
    kind: str
    base_url: str
    models: tuple[ListedModel, ...] = ()
    asks_credential: bool = False


@dataclass(frozen=True, slots=True)
class _Sign:
    """An answer that only one kind of server gives."""

    kind: str
    path: str
    is_given: Callable[[Mapping[str, Any]], bool]


def _tells_version(told: Mapping[str, Any]) -> bool:
    return isinstance(told.get("version"), str)


# https://docs.ollama.com/api/version, the README of llama.cpp's server, and
# https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html. LM Studio
# answers any path with status 200 and an error.
_SIGNS = (
    _Sign("ollama", "/api/version", _tells_version),
    _Sign("llamacpp", "/props", lambda told: "default_generation_settings" in told),
    _Sign("vllm", "/version", _tells_version),
)
_COMPATIBLE = "openai_compatible"


def find_servers(ports: Sequence[int]) -> list[Server]:
    """Return the model servers on these ports, in their order.

    The ports are asked at the same time, each question for a second at most.
    """
    with ThreadPoolExecutor(max_workers=len(ports)) as pool:
        found = pool.map(_find_server, ports)
        return [server for server in found if server is not None]


def _find_server(port: int) -> Server | None:
    transport = Transport(
        pool_size=1,
        connect_timeout_seconds=_SECONDS,
        proxies=lambda url: None,
        ca_bundle=None,
    )
    with closing(transport):
        try:
            return _Probe(port, transport).identify()
        except APIError:  # closed, silent, or no web server
            return None


class _Probe:
    """Questions to one port."""

    def __init__(self, port: int, transport: Transport) -> None:
        self._port = port
        self._root = f"http://127.0.0.1:{port}"
        self._transport = transport

    def identify(self) -> Server | None:
        """Return the server; None where something else answers.

        Raises:
            LLMAPIError: Nothing answers, or not in time, or not in HTTP.
        """
        for sign in _SIGNS:
            told = self._object(self._ask(sign.path))
            if sign.is_given(told):
                server = self._server(sign.kind, sign.kind)
                return self._with_models(server, told)
        name = DEFAULT_PORTS.get(self._port, "local")
        return self._with_models(self._server(name, _COMPATIBLE), {}, is_sure=False)

    def _server(self, name: str, kind: str) -> Server:
        path = "" if kind == "ollama" else "/v1"
        return Server(self._port, name, kind, f"{self._root}{path}")

    def _with_models(
        self, server: Server, told: Mapping[str, Any], *, is_sure: bool = True
    ) -> Server | None:
        """Return the server with what it lists; None where it is no server at all."""
        provider = build_provider(server.kind, server.base_url, None, SystemClock())
        assert isinstance(provider, Lister)  # each kind of `_SIGNS` is one
        reply = self._send(provider.encode_listing())
        if reply.status in _UNAUTHORISED:
            return replace(server, asks_credential=True) if is_sure else None
        try:
            listed = provider.decode_listing(reply)
        except LLMProtocolError:
            return server if is_sure else None
        models = tuple(self._describe(provider, listed))
        if (window := _window(told)) is not None:
            models = tuple(replace(each, context_window=window) for each in models)
        return replace(server, models=models)

    def _describe(
        self, provider: Any, listed: Sequence[ListedModel]
    ) -> Iterator[ListedModel]:
        """Yield the models with what the server tells of each by itself."""
        for index, model in enumerate(listed):
            if not isinstance(provider, Describer) or index >= _MOST_DESCRIBED:
                yield model
                continue
            try:
                reply = self._send(provider.encode_show(model.id))
                yield provider.decode_show(reply, model.id)
            except APIError:
                yield model

    def _ask(self, path: str) -> HttpReply:
        headers = {"accept": "application/json"}
        return self._send(HttpRequest("GET", f"{self._root}{path}", headers, b""))

    def _send(self, request: HttpRequest) -> HttpReply:
        deadline = Deadline.after(_SECONDS, SystemClock())
        return self._transport.send(request, deadline=deadline)

    @staticmethod
    def _object(reply: HttpReply) -> Mapping[str, Any]:
        """Return the JSON object in a good reply, else an empty one."""
        return (read_object(reply.body) if reply.status == _OK else None) or {}


def _window(told: Mapping[str, Any]) -> int | None:
    """Return the context that llama.cpp's server gives each request."""
    settings = told.get("default_generation_settings")
    window = settings.get("n_ctx") if isinstance(settings, dict) else None
    return window if isinstance(window, int) and window > 0 else None
