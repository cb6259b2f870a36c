"""Thoughts as items that a caller gives back untouched.

What proves a thought to its upstream travels in `encrypted_content`, which no caller
looks into. Ours is base64 of JSON; one of OpenAI's own cannot be used elsewhere and
is left out.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from flaskllm.core.ids import new_id
from flaskllm.core.json_text import read_object
from flaskllm.llm.parts import Thinking

_OURS = "fllm1."


def thought_item(thought: Thinking) -> dict[str, Any]:
    """Return the item that tells a thought."""
    told = [{"type": "summary_text", "text": thought.text}] if thought.text else []
    return {
        "id": new_id("rs"),
        "type": "reasoning",
        "summary": told,
        "encrypted_content": seal(thought.signature, thought.redacted),
    }


def seal(signature: str | None, redacted: str | None) -> str | None:
    """Return what stands for a proof and hidden thoughts; None for neither."""
    if signature is None and redacted is None:
        return None
    text = json.dumps({"signature": signature, "redacted": redacted})
    return _OURS + base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii")


def read_thought(item: Mapping[str, Any]) -> Thinking:
    """Return the thought of an item; without a proof when it has none of ours."""
    proof = _open(item.get("encrypted_content"))
    texts = [*_texts(item.get("summary")), *_texts(item.get("content"))]
    return Thinking(
        text="\n\n".join(texts),
        signature=_string(proof.get("signature")),
        redacted=_string(proof.get("redacted")),
    )


def _open(sealed: object) -> dict[str, Any]:
    if not isinstance(sealed, str) or not sealed.startswith(_OURS):
        return {}
    try:
        text = base64.urlsafe_b64decode(sealed.removeprefix(_OURS)).decode("ascii")
    except ValueError:
        return {}
    return read_object(text) or {}


def _texts(parts: object) -> list[str]:
    if not isinstance(parts, list):
        return []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return [text for text in texts if isinstance(text, str)]


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
