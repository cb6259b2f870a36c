"""The cache is cleared: of an alias, a template, a principal, or of everything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.services.caching.answers import Answers
from flaskllm.services.caching.marks import Labels
from flaskllm.services.caching.names import Names
from flaskllm.storage.cache_clears import CacheClears


@dataclass(frozen=True, slots=True)
class Clearing:
    """What is cleared: what has any of these; everything where none is given.

    `token` is the id of an API token.
    """

    alias: str | None = None
    template: str | None = None
    token: str | None = None

    @property
    def given(self) -> Mapping[str, str]:
        """Return what is given, by its name."""
        told = {"alias": self.alias, "template": self.template, "token": self.token}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class CacheClearing:
    """Clears the cache. Nothing old is found any more, by whichever process.

    Where answers lie in the memory of one web process, that one clears all of it
    within a second after another process did.
    """

    answers: Answers
    clears: CacheClears
    clock: Clock
    names: Names

    def clear(self, wanted: Clearing, actor: Actor) -> None:
        """Let nothing of it be found any more; it is on record.

        Raises:
            InvalidInputError: A name is unknown, and nothing was cleared.
            ServiceUnavailable: The database or the store does not work; what was asked
                may have been done in part, and a retry may help.
        """
        self._check(wanted)
        given = wanted.given
        about = " ".join(f"{name}:{value}" for name, value in given.items())
        self.clears.add(actor, about or "all", self.clock.now(), given)
        for labels in _labels(wanted):
            self.answers.clear(labels)

    def _check(self, wanted: Clearing) -> None:
        if wanted.alias:
            self.names.check_alias(wanted.alias)
        if wanted.template:
            self.names.check_template(wanted.template)
        if wanted.token:
            self.names.check_token(wanted.token)

    def forget(self, principal_id: str) -> int:
        """Remove all that one principal was answered; return how many values.

        Those in the memory of other processes are not counted. Who asks for it puts it
        on record.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        self.clears.announce()
        return self.answers.forget(principal_id)


def _labels(wanted: Clearing) -> Iterator[Labels]:
    if not wanted.given:
        yield Labels()
    if wanted.alias:
        yield Labels(alias=wanted.alias)
    if wanted.template:
        yield Labels(template=wanted.template)
    if wanted.token:
        yield Labels(principal_id=wanted.token)
