"""What routes and callers want of the cache, and what became of it. Values."""

from dataclasses import dataclass
from typing import Literal

CacheOutcome = Literal["hit", "joined", "miss", "bypass"]
"""Found in the cache; waited for an equal request and shared its answer; asked an
upstream; the cache was not asked at all."""

Bypass = Literal["asked", "no_store", "sensitive", "confined", "temperature", "nobody"]


@dataclass(frozen=True, slots=True)
class CacheTerms:
    """What a route keeps of its answers.

    Attributes:
        ttl_seconds: How long an answer is kept; None keeps none.
        any_temperature: Whether answers to requests of any temperature are.
        shared: Whether one principal is given what another was answered.
        single_flight: Whether equal requests of one principal at the same time are
            asked once; None where the answer may be kept.
        fingerprint: Changes with whatever decides who answers, and how they are asked.
    """

    ttl_seconds: int | None = None
    any_temperature: bool = False
    shared: bool = False
    single_flight: bool | None = None
    fingerprint: str = ""

    @property
    def is_nothing(self) -> bool:
        """Tell whether the route has no use for the cache."""
        return self.ttl_seconds is None and not self.single_flight


UNCACHED = CacheTerms()


@dataclass(frozen=True, slots=True)
class CacheWish:
    """What a caller wants.

    Attributes:
        reads: Whether an answer may come from the cache.
        stores: Whether it may be kept.
        is_sensitive: Whether the caller marked the request so.
    """

    reads: bool = True
    stores: bool = True
    is_sensitive: bool = False

    def also(self, other: "CacheWish") -> "CacheWish":
        """Return what heeds both."""
        return CacheWish(
            self.reads and other.reads,
            self.stores and other.stores,
            self.is_sensitive or other.is_sensitive,
        )

    @classmethod
    def of(cls, cache: bool | None, sensitive: bool | None) -> "CacheWish":
        """Return what two fields of a request say; None says nothing."""
        is_kept = cache is not False
        return cls(is_kept, is_kept, bool(sensitive))


USUAL = CacheWish()


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where an answer came from that no upstream gave now.

    Attributes:
        alias: The route that it was kept for.
        deployment: Who gave it, then; with `provider` and `model`.
        age_seconds: How long ago; 0.0 where it was waited for.
        saved_nanos: What it would have cost, in nano-dollars; None where not known.
    """

    alias: str
    deployment: str
    provider: str
    model: str
    age_seconds: float = 0.0
    saved_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class CacheNote:
    """What became of one request.

    `source` is there for `hit` and `joined`, but for an error that was shared; `reason`
    for `bypass`.
    """

    outcome: CacheOutcome
    reason: Bypass | None = None
    source: Remembered | None = None


def hear_nothing(note: CacheNote) -> None:
    """Hear it, and keep nothing."""
