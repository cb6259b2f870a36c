"""Privacy: what must stay local is found by rule, and each time is on record."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.config_privacy import PrivacySettings
from flaskllm.core.errors import APIError
from flaskllm.core.sensitive import LOCAL, Found, OnSensitive, Rules, strictest
from flaskllm.llm.allowed import Allowed
from flaskllm.llm.candidates import is_confining
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.confined import Confined, ignore
from flaskllm.llm.types import CompletionRequest, Extraction
from flaskllm.storage.audit import AuditRows

# Digests have what the provider without a model reads.
_ANY = Extraction("summary", "en", ())


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the operator wants kept from upstreams.

    Attributes:
        settings: As they stood at the start.
        rules: Those of the settings, ready to search.
        rows: The audit.
        clock: Tells when.
        catalog: Gives the routes as they stand now, which have a say as well.
    """

    settings: PrivacySettings
    rules: Rules
    rows: AuditRows
    clock: Clock
    catalog: Callable[[], Catalog]

    def keeps_local(
        self,
        wanted: OnSensitive | None,
        model: str | None,
        aliases: frozenset[str] | None = None,
    ) -> bool:
        """Tell whether a document stays local if it matches a rule.

        Args:
            wanted: What its order says; that cannot loosen what others say.
            model: The name that its order has for a model.
            aliases: The names that the caller may send; None is all.
        """
        if strictest(wanted, self.settings.on_sensitive) == LOCAL:
            return True
        request = CompletionRequest(model, (), extraction=_ANY)
        try:
            return is_confining(self.catalog(), request, Allowed(aliases))
        except APIError:  # no such model: whoever asks it is told
            return False

    def redacts(self, wanted: bool | None) -> bool:
        """Tell whether a document is redacted, by its order or else the settings."""
        return self.settings.redact if wanted is None else wanted

    def find(self, texts: Iterable[str]) -> Found:
        """Return which rules match in these texts, and how often."""
        return self.rules.find(texts)

    def record(self, actor: Actor, confined: Confined) -> None:
        """Write down why something stayed local, and who answered it.

        The row is `request.confined` or `digest.confined`, about the request by its
        id. It holds names of rules and counts, never text.

        Raises:
            ServiceUnavailable: It could not be written; a retry may help.
        """
        self.rows.add(
            actor,
            f"{confined.subject}.confined",
            actor.request_id,
            self.clock.now(),
            details_of(confined),
        )


def recorder_of(privacy: Privacy | None, actor: Actor) -> Callable[[Confined], None]:
    """Return what puts on record for somebody; without privacy there is nothing."""
    return ignore if privacy is None else partial(privacy.record, actor)


def details_of(confined: Confined) -> dict[str, Any]:
    """Return what the audit tells of it, as plain JSON."""
    return {
        "rules": dict(confined.found),
        "deployments": list(confined.deployments),
        "outcome": confined.code,
    }
