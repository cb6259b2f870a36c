"""Whether a secret is one, or something that a person typed in haste."""

import re
from itertools import pairwise

from flaskllm.core.config_problems import wrong_value

MAKE_A_SECRET = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
SHORTEST = 32

# 32 random hexadecimal digits hold fewer than 8 different ones once in 10**7.
_FEWEST_DISTINCT = 8
_FEWEST_UNTYPED = 16
_PLACEHOLDER = re.compile(r"changeme|replaceme|placeholder|example|your.*here")
_LONG_RUN = re.compile(r"xxxx|XXXX|\$\{|<[^>]*>")
_TYPED_WORD = re.compile(
    r"secret|token|password|passwd|passphrase|apikey|key|bearer|your|mysuper|super"
    r"|this|not|for|the|flaskllm|test|dummy|default|master|admin|123456?7?8?9?0?"
)


def weakness(value: str) -> str:
    """Return what makes this a bad secret, or '' when nothing shows.

    It names lengths and kinds, never a part of the value.
    """
    if len(value) < SHORTEST:
        return f"only {len(value)} characters"
    if not all("!" <= sign <= "~" for sign in value):
        return "a blank or a letter outside ASCII, which no header can carry"
    if _is_placeholder(value):
        return "a placeholder"
    if len(set(value)) < _FEWEST_DISTINCT or _repeats(value) or _counts(value):
        return "a repeated pattern"
    return ""


def check_strength(value: str) -> None:
    """Return when a secret is strong enough; else raise what pydantic reports."""
    found = weakness(value)
    if found:
        allowed = f"32 or more random characters; make them with\n    {MAKE_A_SECRET}"
        raise wrong_value(found, allowed, "secrets")


def _is_placeholder(value: str) -> bool:
    letters = re.sub(r"[^a-z0-9]", "", value.lower())
    if _LONG_RUN.search(value) or _PLACEHOLDER.search(letters):
        return True
    return len(_TYPED_WORD.sub("", letters)) < _FEWEST_UNTYPED


def _repeats(value: str) -> bool:
    periods = range(1, len(value) // 2 + 1)
    return any(value[period:] == value[:-period] for period in periods)


def _counts(value: str) -> bool:
    """Tell whether most signs are neighbours of the one before: 0123..., abcd..."""
    near = sum(abs(ord(left) - ord(right)) <= 1 for left, right in pairwise(value))
    return near > len(value) * 3 // 4
