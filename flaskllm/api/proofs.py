"""What a request shows of its caller, nothing of it proven yet."""

import re

from flask import request

# A second Authorization header arrives joined to the first by a comma: what it
# adds spoils the API token, and the blank after its scheme matches nothing.
_BEARER = re.compile(r"bearer +(?P<token>[!-~]{1,1024})", re.IGNORECASE)


def token_of(or_header: str | None = None) -> str | None:
    """Return the token of this request; None for none, or for two that differ.

    `or_header` names a second header that may carry it, bare.
    """
    bare = request.headers.get(or_header, "") if or_header else ""
    bearer = request.headers.get("Authorization", "") or f"Bearer {bare}"
    header = _BEARER.fullmatch(bearer)
    if header is None or (bare and header["token"] != bare):
        return None
    return header["token"]


def is_silent_websocket() -> bool:
    """Tell whether a WebSocket is asked for, by somebody who says not yet who."""
    rule = request.url_rule
    return bool(rule and rule.websocket) and "Authorization" not in request.headers
