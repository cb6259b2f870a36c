"""Whether an inbound endpoint that somebody wants can take deliveries."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from flaskllm.core.auth import Actor, Principal, Scope
from flaskllm.core.config_route_checks import RESERVED
from flaskllm.core.errors import (
    InvalidInputError,
    ModelNotFound,
    NoModelConfigured,
    PermissionDenied,
)
from flaskllm.llm.prompts import Library
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.inbound import checks
from flaskllm.services.inbound.terms import Inbound, InboundTerms
from flaskllm.services.jobs.owners import Owners


@dataclass(frozen=True, slots=True)
class Judging:
    """What may be said of an inbound endpoint is judged by it.

    Attributes:
        owners: Those for whom jobs may be made.
        receivers: Where their ends may be told.
        templates: Gives the prompt templates as they stand now.
        check_model: Raises `ModelNotFound` for a name that a principal may not send.
    """

    owners: Owners
    receivers: Receivers
    templates: Callable[[], Library]
    check_model: Callable[[str, Principal], object]

    def check(self, found: Inbound, actor: Actor, now: datetime) -> None:
        """Return when an endpoint can take deliveries.

        Raises:
            InvalidInputError: It cannot; the fields are named.
            ServiceUnavailable: The database cannot be used; a retry may help.
        """
        checks.refuse([*checks.faults(found.sender, found.terms)])
        owner = self._owner(found.principal_id)
        self.receivers.check(
            owner.id,
            actor,
            callback_url=found.terms.callback_url,
            endpoint_id=found.terms.endpoint,
        )
        try:
            checks.check_digest(found.terms, self.templates(), now)
        except InvalidInputError as error:
            named = [replace(e, path=f"digest.{e.path}") for e in error.fields]
            raise InvalidInputError(details=error.details, fields=named) from error
        self._check_model(found.terms, owner)

    def _owner(self, principal_id: str) -> Principal:
        try:
            owner = self.owners.find(principal_id)
        except PermissionDenied as error:
            allowed = "the id of an API token that is good"
            raise InvalidInputError.of("api_token", "is of none", allowed) from error
        if not owner.may(Scope.WEBHOOK):
            problem = "belongs to an API token that may not"
            raise InvalidInputError.of("api_token", problem, "the scope webhook")
        return owner

    def _check_model(self, terms: InboundTerms, owner: Principal) -> None:
        model = terms.digest.get("model")
        if model is None or model in RESERVED:
            return
        try:
            self.check_model(model, owner)
        except (ModelNotFound, NoModelConfigured) as error:
            raise InvalidInputError.of("digest.model", error.details) from error
