"""Changing the master secret: what lies sealed is written anew under the new one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage.audit import record
from flaskllm.storage.resealing import RESEAL_ACTION, Batch, SealedValues
from flaskllm.storage.sealing import ContentSealer


@dataclass(frozen=True, slots=True)
class Standing:
    """Under which master secrets the sealed values of a database lie.

    Attributes:
        current: How many under the current one.
        previous: How many under the previous one.
        unknown: How many under neither: they cannot be read.
        has_previous: Whether there is a previous one at all.
        unused_tokens: The ids of good API tokens that were not used since all was
            resealed, so that they may be known by the previous one alone; None where
            that has not been done yet.
    """

    current: int
    previous: int
    unknown: int
    has_previous: bool
    unused_tokens: tuple[str, ...] | None

    @property
    def may_forget_previous(self) -> bool:
        """Tell whether nothing is lost with the previous secret."""
        return self.previous == 0 and self.unused_tokens == ()


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done: how many values of which columns, and how many are broken."""

    counts: Counter[str]
    broken: int


class Resealing:
    """The use cases of a master secret that is changed."""

    def __init__(
        self,
        values: SealedValues,
        sealer: ContentSealer,
        mark: SecretMark,
        clock: Clock,
    ) -> None:
        """Keep the collaborators; nothing is opened."""
        self._values = values
        self._sealer = sealer
        self._mark = mark
        self._clock = clock

    def standing(self) -> Standing:
        """Return how far the change is.

        Raises:
            ServiceUnavailable: The database or the master secret cannot be read.
        """
        counts = dict(self._values.count())
        current, *previous = self._sealer.prefixes()
        return Standing(
            current=counts.pop(current, 0),
            previous=sum(counts.pop(prefix, 0) for prefix in previous),
            unknown=sum(counts.values()),
            has_previous=bool(previous),
            unused_tokens=self._unused_tokens(),
        )

    def run(self, actor: Actor) -> Resealed:
        """Seal everything anew that lies under the previous secret.

        It goes in small transactions and can be stopped at any time: the next run
        goes on with what is left. The mark of the database becomes that of the
        current secret at the end, together with the audit row.

        Raises:
            ServiceUnavailable: What was done until then holds; a retry may help.
        """
        batches = {name: tuple(self._reseal(name)) for name in self._values.columns()}
        counts = {
            name: sum(batch.resealed for batch in each)
            for name, each in batches.items()
        }
        done = Resealed(
            Counter({name: count for name, count in counts.items() if count}),
            sum(batch.broken for each in batches.values() for batch in each),
        )
        self._values.change(lambda connection: self._sign(connection, done, actor))
        return done

    def _reseal(self, name: str) -> Iterator[Batch]:
        for prefix in self._sealer.prefixes()[1:]:
            batch = Batch()
            while (batch := self._next(name, prefix, batch)).last is not None:
                yield batch

    def _next(self, name: str, prefix: bytes, after: Batch) -> Batch:
        return self._values.reseal(name, prefix, self._sealer, after)

    def _sign(self, connection: Connection, done: Resealed, actor: Actor) -> None:
        is_new = self._mark.replace(connection)
        if is_new or any(done.counts.values()):
            now, details = self._clock.now(), {**done.counts, "broken": done.broken}
            record(connection, actor, RESEAL_ACTION, self._key_id(), now, details)

    def _unused_tokens(self) -> tuple[str, ...] | None:
        since = self._values.first_resealed_at(self._key_id())
        if since is None:
            return None
        return self._values.tokens_unused_since(since, self._clock.now())

    def _key_id(self) -> str:
        return self._sealer.prefixes()[0].hex()
