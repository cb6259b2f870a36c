"""What every answer of `/api/v1` looks like on the wire."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response


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
