"""What answers look like on the wire, whatever is in them."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from flask import Response

from flaskllm.core.csv_text import csv_text
from flaskllm.llm.streams import Seam

_MOST_DROPPED = 50
_LONGEST_NAME = 64
_LONGEST_HEADER = 300
_NOT_PLAIN = re.compile(r"[^ -~]")


def data_reply(data: object, meta: Mapping[str, object], status: int = 200) -> Response:
    """Return the answer `{"data": ..., "meta": {...}}`."""
    return json_reply({"data": data, "meta": meta}, status)


def json_reply(payload: Mapping[str, Any], status: int = 200) -> Response:
    """Return JSON in UTF-8 with the keys in the order they were given.

    NaN and infinity are our own fault and raise `ValueError`. Half a surrogate
    pair, which UTF-8 cannot hold, becomes a question mark.
    """
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False) + "\n"
    body = text.encode("utf-8", "replace")
    return Response(body, status=status, content_type="application/json")


def csv_reply(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a table as CSV in UTF-8, see `core/csv_text.py`."""
    body = csv_text(headings, rows).encode("utf-8", "replace")
    return Response(body, content_type="text/csv; charset=utf-8")


def dropped_header(names: Sequence[str]) -> dict[str, str]:
    """Return the header that names what was not passed on, if anything was.

    Each name stands there once. They are the caller's own: what a header cannot hold
    is percent-encoded, 64 characters of a name and 50 names are shown.
    """
    told = dict.fromkeys(name for name in names if name)
    if not told:
        return {}
    shown = map(_shown, islice(told, _MOST_DROPPED))
    return {"X-Flaskllm-Dropped": ", ".join(shown)}


def answer_headers(
    dropped: Sequence[str], rate_limits: Mapping[str, str], prefix: str
) -> dict[str, str]:
    """Return the headers that go with a model's answer.

    Args:
        dropped: The caller's fields that were not passed on.
        rate_limits: What the upstream told of its rate limits.
        prefix: That of the names in the caller's dialect; others would mislead it.
    """
    own = {
        name: value for name, value in rate_limits.items() if name.startswith(prefix)
    }
    return {**dropped_header(dropped), **own}


def header_text(text: str) -> str:
    """Return a text as a header can hold it: printable ASCII, 300 characters."""
    return _NOT_PLAIN.sub("?", text[:_LONGEST_HEADER])


def rescue_of(seam: Seam) -> dict[str, object]:
    """Return what a caller is told of a rescue: who broke off, who went on, where."""
    return {
        "from": seam.from_deployment,
        "to": seam.to_deployment,
        "at_character": seam.at_character,
        "code": seam.code,
        "mode": seam.mode,
    }


def rescue_note(seam: Seam | None) -> dict[str, Any]:
    """Return the field that tells it in a dialect which has none, if there was one."""
    return {} if seam is None else {"flaskllm": {"rescue": rescue_of(seam)}}


def _shown(name: str) -> str:
    # Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark.
    return quote(name[:_LONGEST_NAME], safe="", errors="replace")
