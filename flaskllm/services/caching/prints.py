"""What tells a request from every other that may be answered differently. Pure."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Final

import orjson

from flaskllm.llm.route import Route
from flaskllm.llm.types import CompletionRequest, EmbeddingRequest

Request = CompletionRequest | EmbeddingRequest

# How a stream is told, and under which name, stands elsewhere in the print.
_OF_THE_FORM: Final = frozenset({"model", "stream", "stream_options"})
_SCALARS: Final = frozenset({str, int, bool, type(None)})


def print_of(key: bytes, route: Route, request: Request) -> str:
    """Return 64 hexadecimal digits: equal for requests that may share an answer.

    They are keyed, since a short request could be guessed from a plain digest.

    Args:
        key: The 32 bytes of this purpose.
        route: Where the request leads; with all that decides who answers there.
        request: What is asked, whoever asks.
    """
    told = (
        # A pattern's deployments are given the name that the caller sent.
        [route.name, "" if route.alias else request.model, route.cache.fingerprint],
        _of_embedding(request)
        if isinstance(request, EmbeddingRequest)
        else _of_completion(request),
    )
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in told:
        text = _plain(part)
        digest.update(len(text).to_bytes(8, "big"))
        digest.update(text)
    return digest.hexdigest()


def print_for(key: bytes, print_: str, principal_id: str) -> str:
    """Return the print of one principal's request, by that of anybody's.

    By the two nobody can tell that two principals asked the same.
    """
    return hmac.digest(key, f"{print_}/{principal_id}".encode(), "sha256").hex()


def is_whole_in_canon(request: Request) -> bool:
    """Tell whether the canonical form holds all that an answer to it can say.

    Then one answer serves those who want a stream and those who do not.
    """
    if isinstance(request, EmbeddingRequest):
        return True
    body = request.body
    if request.choices != 1 or body is None:
        return request.choices == 1
    prompts = body.fields.get("prompt")
    has_one = body.wire != "openai.text" or isinstance(prompts, str)
    return has_one and not (body.extras or body.headers)


def wants_usage(request: Request) -> bool:
    """Tell whether the caller of a stream asked for its usage."""
    if not isinstance(request, CompletionRequest) or request.body is None:
        return False
    options = request.body.fields.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


def _of_embedding(request: EmbeddingRequest) -> object:
    return ["embedding", request.inputs, request.dimensions, request.user]


def _of_completion(request: CompletionRequest) -> object:
    form: object = None
    if not is_whole_in_canon(request):
        form = [request.stream, wants_usage(request)]
    # Digests alone may be answered without a model; what that reads the messages hold.
    head = ["completion", form, request.extraction is not None, request.template]
    if request.body is None:
        return [*head, _canonical(request)]
    body = request.body
    fields = {
        name: value for name, value in body.fields.items() if name not in _OF_THE_FORM
    }
    return [*head, body.wire, fields, dict(body.headers), _canonical(request)]


def _canonical(request: CompletionRequest) -> object:
    return {
        "messages": _without_varying(request),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "json_schema": request.json_schema,
        "json_format": request.json_format,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop,
        "seed": request.seed,
        "tools": request.tools,
        "tool_choice": request.tool_choice,
        "parallel_tools": request.parallel_tools,
        "thinking_tokens": request.thinking_tokens,
        "effort": request.effort,
        "user": request.user,
        "choices": request.choices,
    }


def _without_varying(request: CompletionRequest) -> object:
    """Return the messages without the words that differ each time."""
    if not request.varying:
        return [[each.role, _typed(each.content)] for each in request.messages]
    return [
        [each.role, _replaced(each.text, request.varying)] for each in request.messages
    ]


def _typed(content: str | Iterable[Any]) -> object:
    """Return parts with their kinds: a text and a thought are of the same fields."""
    if isinstance(content, str):
        return content
    return [[type(part).__name__, part] for part in content]


def _replaced(text: str, varying: Iterable[tuple[str, str]]) -> str:
    for word, stands_for in varying:
        text = text.replace(word, stands_for)
    return text


def _plain(value: object) -> bytes:
    """Return a value as JSON, its keys in order, and equal numbers alike."""
    plain = _by_value(value)
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits
        return json.dumps(plain, sort_keys=True).encode("ascii")


def _by_value(value: Any) -> object:
    """Return what JSON knows, and whole numbers as such: 1.0 is 1."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, frozenset | set):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {name: _by_value(each) for name, each in value.items()}
    # Long rows of tokens are not looked at one by one.
    return value if _SCALARS.issuperset(map(type, value)) else [*map(_by_value, value)]
