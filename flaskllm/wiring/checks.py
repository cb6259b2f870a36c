"""What may be wrong with settings that only shows when something is made of them.

Each function returns its problems, without the place of the value; `placed` adds
it. Those that are no warnings stop the start, and `flaskllm config check` tells
all of them.
"""

from collections.abc import Callable, Iterator, Mapping

from flaskllm.core.clock import SystemClock
from flaskllm.core.config import (
    ConfigError,
    Loaded,
    Problem,
    RouteSettings,
    Settings,
    examine_process,
)
from flaskllm.core.config_hints import find_hints
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.prices import price_of
from flaskllm.llm.prompts import TemplateError, load_library
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import NothingDiscovered
from flaskllm.wiring.catalog import build_catalog
from flaskllm.wiring.drivers import check_driver
from flaskllm.wiring.inbound import check_inbound
from flaskllm.wiring.inbound_doubts import doubtful_models, malformed_payers
from flaskllm.wiring.timeouts import OWN_SERVERS
from flaskllm.wiring.upstreams import build_providers, read_trusted

_BY_PRICE = ("cheapest", "adaptive")
_ANY_MODEL = "*"


def find_faults(settings: Settings) -> list[Problem]:
    """Return everything that is wrong, warnings included; nothing is opened."""
    return [
        *_of(lambda: build_providers(settings, SystemClock())),
        *(_of(read_trusted) if settings.providers else ()),
        *_check_templates(settings),
        *check_prices(settings, _deployments(settings)),
        *check_driver(settings),
        *check_inbound(settings),
        *doubtful_models(settings),
        *malformed_payers(settings),
        *find_hints(settings),
    ]


def find_usable() -> Loaded | None:
    """Return what this process's configuration holds, None where it cannot be used."""
    loaded = examine_process().loaded
    if loaded and all(each.is_warning for each in find_faults(loaded.settings)):
        return loaded
    return None


def template_problem(error: Exception) -> Problem:
    """Return what tells that the templates cannot be read, or used."""
    allowed = "templates that can be read"
    return Problem("templates_dir", str(error), allowed, check="templates")


def check_prices(
    settings: Settings, deployments: Mapping[str, Deployment]
) -> Iterator[Problem]:
    """Yield each deployment of a route whose price is not known.

    It is a warning, but an error where the route requires one. A server of one's
    own costs nothing for a token, so there it is one only where a route goes by
    prices; and what `*` will cost nobody can know.
    """
    told: set[str] = set()
    for index, route in enumerate(settings.routes):
        for name in route.deployments:
            deployment = deployments[name]
            if not _misses_price(deployment) or name in told:
                continue
            if route.require_price:
                found = f"{name}, whose price is not known"
                yield _price_problem(f"routes.{index}.require_price", found, name)
            elif _wants_price(route, deployment):
                told.add(name)
                path = f"deployments.{name}.model"
                found = "one whose price is not known"
                yield _price_problem(path, found, name, is_warning=True)


def _price_problem(
    path: str, found: str, name: str, is_warning: bool = False
) -> Problem:
    allowed = (
        f"deployments.{name}.price with input and output, in dollars for a million "
        "tokens; 0 where it costs nothing"
    )
    return Problem(path, found, allowed, check="prices", is_warning=is_warning)


def _misses_price(deployment: Deployment) -> bool:
    is_priced = deployment.kind != OFFLINE.kind and deployment.model != _ANY_MODEL
    return is_priced and price_of(deployment) is None


def _wants_price(route: RouteSettings, deployment: Deployment) -> bool:
    return deployment.kind not in OWN_SERVERS or route.strategy in _BY_PRICE


def _deployments(settings: Settings) -> Mapping[str, Deployment]:
    return build_catalog(settings, {}, NothingDiscovered()).deployments


def _check_templates(settings: Settings) -> Iterator[Problem]:
    try:
        load_library(settings.templates_dir)
    except (TemplateError, ValueError, OSError) as error:
        yield template_problem(error)


def _of(make: Callable[[], object]) -> tuple[Problem, ...]:
    """Return what keeps this from being made."""
    try:
        make()
    except ConfigError as error:
        return error.problems
    return ()
