"""A stream that was passed on as it came, read as a caller of another dialect would."""

from collections.abc import Sequence
from dataclasses import replace

from flaskllm.llm.providers import Provider
from flaskllm.llm.streams import Chunk
from flaskllm.llm.types import CompletionRequest


def read_again(
    provider: Provider, request: CompletionRequest, events: bytes
) -> Sequence[Chunk]:
    """Return in chunks what an upstream streamed in answer to a request.

    Raises:
        LLMAPIError: It cannot be read.
    """
    reader = provider.read_stream(replace(request, body=None))
    pieces = [*reader.feed(events)]
    if reader.broken is not None:
        raise reader.broken
    if not reader.is_complete:
        pieces += reader.end()
    return [each for each in pieces if isinstance(each, Chunk)]
