"""Inbound endpoints of the settings that take mail and can make nothing of it.

Warnings, since what is missing may come while we run: an API token by the admin API,
an alias by a change of the settings. Deliveries are told to come again until then, and
each of them is logged.
"""

from collections.abc import Iterator

from flaskllm.core.auth import Scope
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import ConfigError, Problem, Settings
from flaskllm.core.config_inbound import NOBODY
from flaskllm.core.config_route_checks import RESERVED
from flaskllm.core.errors import (
    APIError,
    ModelNotFound,
    NoModelConfigured,
    PermissionDenied,
)
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.route import CAPABILITY
from flaskllm.llm.undescribed import NothingDiscovered
from flaskllm.services.jobs.owners import Owners
from flaskllm.storage.addresses import file_at
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.database import Database
from flaskllm.wiring.catalog import build_catalog
from flaskllm.wiring.ground import build_database
from flaskllm.wiring.secrets import reveal


def doubtful_models(settings: Settings) -> Iterator[Problem]:
    """Yield each endpoint whose digest names a model that no route answers to."""
    catalog = build_catalog(settings, {}, NothingDiscovered())
    allowed = ", ".join([*(route.name for route in catalog.routes), *RESERVED])
    for name, told in settings.inbound.items():
        model = told.digest.get("model")
        if not isinstance(model, str) or _may_be_found(model, catalog, settings):
            continue
        yield _doubt(f"{name}.digest.model", "a name that no route answers to", allowed)


def malformed_payers(settings: Settings) -> Iterator[Problem]:
    """Yield each endpoint that names what cannot be the id of an API token."""
    allowed = "the 12 characters that `flaskllm tokens list` shows, never the token"
    for name, told in settings.inbound.items():
        if told.api_token == NOBODY:
            yield _doubt(f"{name}.api_token", "no id of an API token", allowed)


def doubtful_payers(
    settings: Settings, database: Database, clock: Clock
) -> Iterator[Problem]:
    """Yield each endpoint whose API token cannot make jobs, or is not there.

    Those that `malformed_payers` yields are left out. Where the database cannot tell,
    nothing is yielded.
    """
    owners = Owners(ApiTokens(database), clock)
    for name, told in settings.inbound.items():
        if told.api_token in (None, NOBODY):
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


def looked_up_payers(settings: Settings, *, by_network: bool) -> list[Problem]:
    """Return what `doubtful_payers` yields, of a database that is there and current.

    Where there is none nobody can tell; nothing is made or changed.

    Args:
        settings: The settings.
        by_network: Whether a server may be asked, which can take five seconds where
            it does not answer; without it only a file is.
    """
    if all(each.api_token in (None, NOBODY) for each in settings.inbound.values()):
        return []
    if not by_network and _is_behind_network(settings):
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


def _is_behind_network(settings: Settings) -> bool:
    url = reveal(settings.database_url)
    return url is not None and file_at(url) is None


def _may_be_found(model: str, catalog: Catalog, settings: Settings) -> bool:
    """Tell whether a route has this name, or an upstream that nobody asks here may."""
    # `provider/model` is asked for directly; what it leads to the provider decides.
    if model in RESERVED or "/" in model:
        return True
    try:
        catalog.resolve(model)
    except (ModelNotFound, NoModelConfigured):
        lists = any(each.models for each in settings.providers.values())
        return lists and not model.startswith(CAPABILITY)
    return True


def _doubt(path: str, found: str, allowed: str) -> Problem:
    return Problem(f"inbound.{path}", found, allowed, check="inbound", is_warning=True)
