"""Inbound endpoints of the settings that take mail and can make nothing of it.

Warnings, since what is missing may come while we run: an API token by the admin API,
an alias by a change of the settings. Deliveries are told to come again until then, and
each of them is logged.
"""

from collections.abc import Iterator

from flaskllm.core.auth import Scope
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import ConfigError, Problem, Settings
from flaskllm.core.errors import APIError, PermissionDenied
from flaskllm.services.jobs.owners import Owners
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.database import Database
from flaskllm.wiring.ground import build_database

_OWN_NAMES = frozenset({"auto", "offline"})


def doubtful_models(settings: Settings) -> Iterator[Problem]:
    """Yield each endpoint whose digest names a model that no route answers to."""
    aliases = {each.alias for each in settings.routes if each.alias} | _OWN_NAMES
    for name, told in settings.inbound.items():
        model = told.digest.get("model")
        # `provider/model` is asked for directly, and upstreams have names of their own.
        if not isinstance(model, str) or "/" in model or model in aliases:
            continue
        allowed = ", ".join(sorted(aliases))
        found = "a name that no route answers to"
        yield _doubt(f"{name}.digest.model", found, f"an alias: {allowed}")


def doubtful_payers(
    settings: Settings, database: Database, clock: Clock
) -> Iterator[Problem]:
    """Yield each endpoint whose API token cannot make jobs, or is not there.

    Where the database cannot tell, nothing is yielded.
    """
    owners = Owners(ApiTokens(database), clock)
    for name, told in settings.inbound.items():
        if told.api_token is None:
            continue
        allowed = f"the id of an API token with the scope {Scope.WEBHOOK.value}"
        try:
            if owners.find(told.api_token).may(Scope.WEBHOOK):
                continue
            found = f"an API token without the scope {Scope.WEBHOOK.value}"
        except PermissionDenied:
            found = "one that is not there, was revoked or has expired"
        except APIError:
            return
        yield _doubt(f"{name}.api_token", found, allowed)


def looked_up_payers(settings: Settings) -> list[Problem]:
    """Return what `doubtful_payers` yields, of a database that is there and current.

    Where there is none nobody can tell; nothing is made or changed.
    """
    if all(each.api_token is None for each in settings.inbound.values()):
        return []
    try:
        database = build_database(settings, SystemClock())
    except ConfigError:
        return []  # another check tells it
    try:
        if not database.is_current():
            return []
        return [*doubtful_payers(settings, database, SystemClock())]
    except APIError:
        return []  # it cannot tell now
    finally:
        database.close()


def _doubt(path: str, found: str, allowed: str) -> Problem:
    return Problem(f"inbound.{path}", found, allowed, check="inbound", is_warning=True)
