"""How patient a call is: the settings' time-outs, the nearest one first."""

from flaskllm.core.config import StreamTimeouts, TimeoutSettings
from flaskllm.llm.types import Timeouts

_FIRST_TOKEN_SECONDS = 10.0
# A server of one's own may have to load the model first.
_LOADING_SECONDS = 120.0
OWN_SERVERS = frozenset({"ollama", "vllm", "llamacpp"})
"""The kinds that the operator runs, with the models and windows of their choice."""


def timeouts_of(
    general: TimeoutSettings, kind: str, changed: StreamTimeouts
) -> Timeouts:
    """Return what holds for a deployment of this kind.

    What the deployment itself says goes before what holds in general, and that
    before what its kind needs. A server that may load a model may be silent as
    long as its first token may take.
    """
    usual = _LOADING_SECONDS if kind in OWN_SERVERS else _FIRST_TOKEN_SECONDS
    first_token = changed.first_token_seconds or general.first_token_seconds or usual
    silence = general.first_byte_seconds
    if kind in OWN_SERVERS:
        silence = max(silence, first_token)
    return Timeouts(
        first_byte_seconds=changed.first_byte_seconds or silence,
        first_token_seconds=first_token,
        chunk_gap_seconds=changed.chunk_gap_seconds or general.chunk_gap_seconds,
        answer_seconds=changed.answer_seconds or general.answer_seconds,
    )
