"""How the address of a store is read: once, as every other reader will."""

from collections.abc import Collection
from urllib.parse import SplitResult, parse_qsl, urlsplit


def split_address(value: str) -> SplitResult | None:
    """Return the parts; None where a second reader could see others in them."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # read here, because a bad port only shows when it is read
    except ValueError:
        return None
    return None if value.count("@") > 1 else parts


def query_fault(parts: SplitResult, known: Collection[str]) -> str:
    """Return what is wrong with the query; empty where nothing is."""
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if not set(names) <= set(known):
        told = ", ".join(sorted(known))
        return f"an address with an unknown word in its query; known: {told}"
    if len(names) > len(set(names)):
        return "an address that says a word of its query twice"
    return ""
