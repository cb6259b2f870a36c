"""Of one usage row: the keys that it counts for, and what it adds to each."""

import json
from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from hashlib import blake2b

from flaskllm.core.histograms import bin_of
from flaskllm.storage.usage import CACHED, UsageRow

ANSWER = 0
"""The measure of the time that a whole answer took."""
FIRST_TOKEN = 1
"""The measure of the time to its first token."""


EVERYTHING, OWN, EVERYBODY, BY_SOURCE, BY_TAGS = range(5)
"""The levels of keys: how much they tell.

Most questions need little of it, and there are far fewer keys that tell little.
"""

_TOLD = {
    OWN: ("principal_id", "alias", "deployment", "model"),
    EVERYBODY: ("alias", "deployment", "model"),
    BY_SOURCE: ("alias", "deployment", "model", "source"),
    BY_TAGS: ("alias", "deployment", "model", "tags"),
}
"""What the keys of the other levels tell."""

OF_DURATIONS = (OWN, EVERYBODY)
"""The levels for which durations are kept by the hour and the day."""


@dataclass(frozen=True, slots=True)
class Key:
    """What attempts have in common that are added up together.

    Texts that a level does not tell are empty.
    """

    principal_id: str = ""
    alias: str = ""
    deployment: str = ""
    model: str = ""
    source: str = ""
    tags: str = ""
    price: str = ""
    level: int = EVERYTHING


TEXTS = tuple(field.name for field in fields(Key) if field.name != "level")


@lru_cache(maxsize=4096)
def id_of(key: Key) -> int:
    """Return the id, positive and below 2**63, which follows from the key alone.

    Every process, and the migration that makes the table, finds the same one without
    asking the database. It must never be made in another way.
    """
    text = json.dumps(astuple(key), separators=(",", ":"))
    digest = blake2b(text.encode("ascii"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@lru_cache(maxsize=4096)
def views_of(key: Key) -> tuple[Key, ...]:
    """Return the keys that tell less of it, those of the levels 1 to 4 in order."""
    return tuple(
        Key(**{name: getattr(key, name) for name in told}, level=level)
        for level, told in _TOLD.items()
    )


def level_telling(names: Collection[str]) -> int:
    """Return the level with the fewest keys that tell all of these texts."""
    for level in (EVERYBODY, OWN, BY_SOURCE, BY_TAGS):
        if set(names) <= set(_TOLD[level]):
            return level
    return EVERYTHING


def key_of(row: UsageRow) -> Key:
    """Return the key that a row counts for."""
    return Key(
        row.principal_id,
        row.alias,
        row.deployment,
        row.model,
        row.source,
        row.tags,
        row.price,
    )


def parts_of(row: UsageRow) -> tuple[int, ...]:
    """Return what a row adds to its sums, in the order of `SUMMED`."""
    tokens_input = row.input_uncached + row.input_cache_read + row.input_cache_write
    tokens_output = row.output_text + row.output_reasoning
    used = tokens_input + tokens_output > 0
    return (
        int(row.opens_request),
        1,
        int(row.outcome != "OK"),
        tokens_input,
        tokens_output,
        row.cost_nanos or 0,
        int(row.cost_nanos is None and used),
        int(row.is_estimated),
        int(row.usage_source == CACHED),
        row.saved_nanos,
    )


def durations_of(row: UsageRow) -> Iterator[tuple[int, int]]:
    """Yield (measure, bin) of an attempt that a model answered; others have none."""
    if row.outcome != "OK" or row.usage_source == CACHED:
        return
    yield ANSWER, bin_of(row.latency_ms)
    if row.first_token_ms is not None:
        yield FIRST_TOKEN, bin_of(row.first_token_ms)
