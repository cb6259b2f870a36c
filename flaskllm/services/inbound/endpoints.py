"""Inbound endpoints: those of the settings file, and those that admins make."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.config_inbound import MADE_IDS
from flaskllm.core.errors import Conflict, InvalidInputError
from flaskllm.core.ids import new_ordered_id
from flaskllm.services.callbacks.endpoint_checks import check_name
from flaskllm.services.inbound.judging import Judging
from flaskllm.services.inbound.terms import (
    TERM_NAMES,
    Inbound,
    not_found,
    of_row,
    terms_of,
    to_json,
)
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.endpoints import DISABLED, ENABLED
from flaskllm.storage.inbound import InboundChange, InboundRow, InboundRows

MOST_ENDPOINTS: Final = 200
"""That the admin API makes."""

_SANE_ID = re.compile(rf"{MADE_IDS}[0-9A-Za-z]{{1,36}}")
_OF_THE_FILE = (
    "It stands in the settings file under `inbound`: change it there, and start again."
)


@dataclass(frozen=True, slots=True)
class InboundEndpoints:
    """The use cases of inbound endpoints. All admins see all of them.

    Attributes:
        rows: Those that admins have made.
        of_file: Those of the settings file, by their ids.
        judging: What may be said of one.
        clock: Tells when one is made.
    """

    rows: InboundRows
    of_file: Mapping[str, Inbound]
    judging: Judging
    clock: Clock = field(repr=False)

    def at(self, sender: str, endpoint_id: str) -> Inbound | None:
        """Return the endpoint that takes deliveries of a sender at this id, if any.

        Raises:
            ServiceUnavailable: Nobody can tell at the moment.
        """
        found = self._find(endpoint_id)
        if found is None or found.sender != sender or found.state != ENABLED:
            return None
        return found

    def list(self) -> tuple[Inbound, ...]:
        """Return all of them: those of the file, then the others, the oldest first.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        return (*self.of_file.values(), *map(of_row, self.rows.list()))

    def get(self, endpoint_id: str) -> Inbound:
        """Return one.

        Raises:
            NotFound: There is none of this id.
            ServiceUnavailable: The database cannot be read.
        """
        found = self._find(endpoint_id)
        if found is None:
            raise not_found()
        return found

    def create(
        self, name: str, sender: str, said: Mapping[str, Any], actor: Actor
    ) -> Inbound:
        """Make an endpoint and return it.

        Args:
            name: For people.
            sender: Who delivers.
            said: Its terms by name, and `api_token`: that of the actor if omitted.
            actor: Who makes it, for the audit.

        Raises:
            InvalidInputError: A field is not allowed; it is named.
            Conflict: There are 200 already.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        now = self.clock.now()
        made = Inbound(
            id=new_ordered_id("inb"),
            name=check_name(name),
            sender=sender,
            principal_id=said.get("api_token") or actor.principal_id,
            state=ENABLED,
            origin="api",
            terms=terms_of(said),
            created_at=now,
        )
        self.judging.check(made, actor, now)
        noted = _noted("inbound.create", made, actor, now)
        if not self.rows.add(_row(made, now), noted, MOST_ENDPOINTS):
            details = f"There are {MOST_ENDPOINTS} inbound endpoints; remove one first."
            raise Conflict(details=details)
        return made

    def change(
        self, endpoint_id: str, changes: Mapping[str, Any], actor: Actor
    ) -> Inbound:
        """Change its name, state, API token or terms; others stay. Null clears a term.

        Whether it can take deliveries is asked where one of the last two changes, and
        where it is enabled: what was stored can be disabled and renamed at any time.

        Raises:
            NotFound: There is none of this id.
            Conflict: It is one of the settings file.
            InvalidInputError: A value is not allowed; its field is named.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        before = self._made(endpoint_id)
        now = self.clock.now()
        wanted = _changed(before, changes)
        if _asks_for_more(before, wanted):
            self.judging.check(wanted, actor, now)

        def edit(row: InboundRow, at: datetime) -> InboundChange | None:
            after = _changed(of_row(row), changes)
            if _row(after, row.created_at) == row:
                return None
            noted = _noted("inbound.update", after, actor, at)
            return InboundChange(_row(after, row.created_at), noted)

        row = self.rows.change(before.id, edit)
        if row is None:
            raise not_found()
        return of_row(row)

    def remove(self, endpoint_id: str, actor: Actor) -> Inbound:
        """Remove one, and return it as it was. Jobs that it has made go on.

        Raises:
            NotFound: There is none of this id.
            Conflict: It is one of the settings file.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        found = self._made(endpoint_id)
        noted = _noted("inbound.remove", found, actor, self.clock.now())
        if not self.rows.remove(found.id, noted):
            raise not_found()
        return found

    def _find(self, endpoint_id: str) -> Inbound | None:
        if endpoint_id in self.of_file:
            return self.of_file[endpoint_id]
        if _SANE_ID.fullmatch(endpoint_id) is None:
            return None  # no other text reaches the database
        row = self.rows.find(endpoint_id)
        return None if row is None else of_row(row)

    def _made(self, endpoint_id: str) -> Inbound:
        if endpoint_id in self.of_file:
            raise Conflict(details=_OF_THE_FILE)
        found = self._find(endpoint_id)
        if found is None:
            raise not_found()
        return found


def _asks_for_more(before: Inbound, after: Inbound) -> bool:
    """Tell whether a change asks for something that nobody has judged yet."""
    is_as_judged = (before.terms, before.principal_id) == (
        after.terms,
        after.principal_id,
    )
    return not is_as_judged or (before.state, after.state) == (DISABLED, ENABLED)


def _changed(before: Inbound, changes: Mapping[str, Any]) -> Inbound:
    said = {name: getattr(before.terms, name) for name in TERM_NAMES}
    terms = terms_of(said | {k: v for k, v in changes.items() if k in TERM_NAMES})
    state = changes.get("state") or before.state
    if state not in (ENABLED, DISABLED):
        raise InvalidInputError.of("state", "is unknown", f"{ENABLED}, {DISABLED}")
    return replace(
        before,
        name=check_name(changes.get("name") or before.name),
        principal_id=changes.get("api_token") or before.principal_id,
        state=state,
        terms=terms,
    )


def _row(found: Inbound, created_at: datetime) -> InboundRow:
    return InboundRow(
        id=found.id,
        principal_id=found.principal_id,
        name=found.name,
        sender=found.sender,
        state=found.state,
        created_at=created_at,
        terms=to_json(found.terms),
    )


def _noted(action: str, found: Inbound, actor: Actor, at: datetime) -> Noted:
    """Return the audit row of what happened to an endpoint; no secret is in it."""
    told = {
        "name": found.name,
        "sender": found.sender,
        "api_token": found.principal_id,
        "state": found.state,
        "recipients": list(found.terms.recipients),
    }
    return Noted(action, actor, at, told)
