"""What is handed to those who waited.

An answer, the error that all of them get, or word that there is none for them.
"""

import json
from collections.abc import Iterator
from typing import Final

from flaskllm.core.errors import APIError, Field, LLMAPIError
from flaskllm.services.caching.entries import Entry

# No error has this code: a program that does not know it asks as well.
NOTHING: Final = '{"error":{"code":""}}'
"""What was asked is for nobody else: all ask for themselves, and none for others."""


def text_instead(error: BaseException | None) -> str | None:
    """Return what is handed over instead of an answer.

    Args:
        error: Why there is none; None: there is one, which is for nobody else.

    Returns:
        None where the reason is the one's alone that asked: another is to ask.
    """
    if error is None:
        return NOTHING
    return text_of_error(error) if isinstance(error, LLMAPIError) else None


def text_of_error(error: LLMAPIError) -> str:
    """Return an error as it is handed over."""
    fields = [[each.path, each.problem, each.allowed] for each in error.fields]
    told = {
        "code": error.code,
        "message": error.message,
        "details": error.details,
        "fields": fields,
        "retry_after_seconds": error.retry_after_seconds,
    }
    return json.dumps({"error": told})


def read(text: str) -> Entry | None:
    """Return the answer that was handed over; None: it must be asked for.

    Raises:
        LLMAPIError: That is what was handed over.
    """
    if not text.startswith('{"error"'):
        return Entry.from_text(text)
    told = json.loads(text)["error"]
    kind = _KINDS.get(told["code"])
    if kind is None:  # a newer program's
        return None
    raise kind(
        told["message"],
        details=told["details"],
        fields=[Field(*each) for each in told["fields"]],
        retry_after_seconds=told["retry_after_seconds"],
    )


def _below(kind: type[APIError]) -> Iterator[type[APIError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


_KINDS: Final = {each.code: each for each in _below(LLMAPIError)}
