"""API tokens for tests: made in one line, and a service of its own to ask."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes import FakeClock
from sqlalchemy import Engine, event

from flaskllm.core.auth import Actor, BootstrapToken, NewToken, Principal, Scope
from flaskllm.core.secrets import KeyRing
from flaskllm.services.api_tokens import ApiTokenService, TokenRefused
from flaskllm.services.authentication import Authentication
from flaskllm.services.grants import Grant
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.changes import Changes
from flaskllm.storage.database import Database

TESTER = Actor("cli:tester")
START = datetime(2030, 1, 1, tzinfo=UTC)
SECRET = "m4Q8sV1xZ7kT0bN3cW6rY9pL2hJ5dF8g"


def make_token(
    service: ApiTokenService,
    *scopes: Scope,
    name: str = "test",
    by: Principal | None = None,
    **more: Any,
) -> NewToken:
    """Make an API token that holds these scopes; `more` are fields of `Grant`."""
    grant = Grant(name, frozenset(scopes or {Scope.CHAT}), **more)
    return service.create(grant, actor=TESTER, by=by)


class TokenWorld:
    """The service of one process over a database, under a clock that a test moves."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        clock: FakeClock | None = None,
        secret: str | None = SECRET,
        previous: str | None = None,
        bootstrap: BootstrapToken | None = None,
    ):
        self.database = database
        self.folder = folder
        self.clock = clock or FakeClock(START)
        self.records = ApiTokens(database)
        keys = KeyRing(secret, folder / "data", previous=previous)
        counter = Changes(database).read
        proofs = Authentication(self.records, keys, self.clock, counter, bootstrap)
        self.service = ApiTokenService(self.records, proofs, self.clock)

    def make(self, *scopes: Scope, **more: Any) -> NewToken:
        """Make an API token; `more` is as `make_token` has it."""
        return make_token(self.service, *scopes, **more)

    def beside(self, **options: Any) -> "TokenWorld":
        """Return another process on the same database, under the same clock."""
        return TokenWorld(self.database, self.folder, clock=self.clock, **options)

    def move_to(self, moment: datetime) -> None:
        """Move both clocks on to this moment."""
        self.clock.advance((moment - self.clock.now()).total_seconds())


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect the SQL and the parameters of every statement that is run inside."""
    seen: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def audit_of(world: TokenWorld) -> list[tuple[str, str, Any]]:
    """Return each audit row, the latest first, as action, object and details."""
    rows = AuditRows(world.database).page(100)
    return [(row.action, row.object_id, json.loads(row.details)) for row in rows]


def reason_of(world: TokenWorld, text: str) -> str | None:
    """Return why an API token is refused, or None when it is good."""
    try:
        world.service.authenticate(text)
    except TokenRefused as refused:
        return refused.reason
    return None
