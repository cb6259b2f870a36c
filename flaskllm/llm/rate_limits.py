"""What an upstream told of its rate limits, for a caller who speaks its dialect.

Sources: https://platform.openai.com/docs/guides/rate-limits and
https://platform.claude.com/docs/en/api/rate-limits.
"""

import re
from collections.abc import Mapping

_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")
_NAME = re.compile(
    r"x-ratelimit-(limit|remaining|reset)-(requests|tokens)"
    r"|anthropic-ratelimit-(requests|((in|out)put-)?tokens)-(limit|remaining|reset)"
)
# A number, a duration such as 6m0.5s, or a moment.
_VALUE = re.compile(r"[A-Za-z0-9.:+-]{1,64}")
_NONE: Mapping[str, str] = {}


def rate_limits_of(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers that tell a rate limit; an unusual one is left out.

    Args:
        headers: A reply's, their names in lower case.
    """
    if not any(name.startswith(_PREFIXES) for name in headers):
        return _NONE
    return {
        name: value
        for name, value in headers.items()
        if _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    }
