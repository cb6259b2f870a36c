"""Usage as the services of OpenAI's dialect count it, in one normal form.

Sources: the API references of OpenAI, DeepSeek (`prompt_cache_hit_tokens`), Groq
(`x_groq.usage`), Moonshot (usage inside a choice), OpenRouter and LiteLLM (cache
writes), Together (`cached_tokens`), xAI (reasoning beside the completion), Gemini's
OpenAI route (reasoning only in the total) and llama.cpp's server (`timings`).
"""

from collections.abc import Mapping
from typing import Any

from flaskllm.core.json_text import dump_line
from flaskllm.core.sse import encode_event
from flaskllm.llm.providers.counts import read_count
from flaskllm.llm.types import Usage

_Places = tuple[tuple[str | None, str], ...]

_PROMPT_DETAILS = "prompt_tokens_details"
# Where each service counts a thing, in which group of details or in none; the
# first that is there is the count.
_CACHE_READS: _Places = (
    (_PROMPT_DETAILS, "cached_tokens"),
    (None, "prompt_cache_hit_tokens"),
    (None, "cached_tokens"),
)
_CACHE_WRITES: _Places = (
    (_PROMPT_DETAILS, "cache_write_tokens"),
    (_PROMPT_DETAILS, "cache_creation_tokens"),
)
# What all events of one stream have in common.
_SAME = ("id", "object", "created", "model")
_REASONING: _Places = (("completion_tokens_details", "reasoning_tokens"),)


def find_usage(reply: Mapping[str, Any]) -> Usage | None:
    """Return what a reply or an event of a stream says about usage.

    None means that it says nothing; a usage of source `none` that what it says
    cannot be true.
    """
    counted = _counted(reply)
    if counted is not None:
        return read_usage(counted)
    timings = reply.get("timings")
    return _read_timings(timings) if isinstance(timings, dict) else None


def read_usage(usage: Any) -> Usage:
    """Return the counts in their normal form, or none when they cannot be true.

    Cached, written and reasoning tokens are counted inside the prompt and the
    completion: all are taken out. What `total_tokens` has beyond the two is
    reasoning; when it is as much as the reasoning that the details name, these
    stand beside the completion and not inside.
    """
    if not isinstance(usage, dict) or usage.get("completion_tokens") is None:
        return Usage()
    prompt = read_count(usage, "prompt_tokens")
    completion = read_count(usage, "completion_tokens")
    read, write = _first(usage, _CACHE_READS), _first(usage, _CACHE_WRITES)
    reasoning = _first(usage, _REASONING)
    has_total = "total_tokens" in usage
    total = read_count(usage, "total_tokens") if has_total else prompt + completion
    beyond = total - prompt - completion
    inside = 0 if beyond == reasoning else reasoning
    # A prompt of nothing was never sent: such servers do not count.
    if min(prompt - 1, completion, read, write, reasoning, beyond) < 0:
        return Usage()
    if read + write > prompt or inside > completion:
        return Usage()
    return Usage(
        input_uncached=prompt - read - write,
        input_cache_read=read,
        input_cache_write=write,
        output_text=completion - inside,
        output_reasoning=inside + beyond,
        source="provider",
    )


def read_embedding_usage(usage: Any) -> Usage:
    """Return the input's tokens, or none: there is no completion to count."""
    prompt = read_count(usage, "prompt_tokens") if isinstance(usage, dict) else 0
    return Usage(input_uncached=prompt, source="provider") if prompt > 0 else Usage()


def usage_event(first: Mapping[str, Any], usage: Usage) -> bytes:
    """Return the event that counts a stream which began with this event."""
    counted = {
        "prompt_tokens": usage.tokens_input,
        "completion_tokens": usage.tokens_output,
        "total_tokens": usage.tokens_input + usage.tokens_output,
    }
    same = {name: first[name] for name in _SAME if name in first}
    return encode_event(dump_line({**same, "choices": [], "usage": counted}))


def _counted(reply: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the usage where the services put it; an empty one says nothing."""
    usage = reply.get("usage")
    if usage and isinstance(usage, dict):
        return usage
    choices = reply.get("choices")
    if choices and isinstance(choices, list) and isinstance(choices[0], dict):
        usage = choices[0].get("usage")
    groq = reply.get("x_groq")
    if isinstance(groq, dict):
        usage = groq.get("usage")
    return usage if usage and isinstance(usage, dict) else None


def _read_timings(timings: Mapping[str, Any]) -> Usage | None:
    """Return what llama.cpp measured, which counts where it gives no usage."""
    cached, prompt = read_count(timings, "cache_n"), read_count(timings, "prompt_n")
    written = read_count(timings, "predicted_n")
    if min(cached, prompt, written) < 0 or cached + prompt == 0:
        return None
    return Usage(prompt, cached, 0, written, 0, "provider")


def _first(usage: Mapping[str, Any], places: _Places) -> int:
    """Return the first of some counts that is there; most services have none."""
    for group, name in places:
        holder = usage if group is None else usage.get(group)
        if isinstance(holder, dict) and holder.get(name) is not None:
            return read_count(holder, name)
    return 0
