"""What comes in, as the settings want it."""

from collections.abc import Iterator

from flaskllm.api.v1.inbound_data import DigestFields
from flaskllm.api.validation import parse_model
from flaskllm.core.auth import BOOTSTRAP
from flaskllm.core.clock import SystemClock
from flaskllm.core.config import ConfigError, Problem, Settings
from flaskllm.core.config_inbound import InboundSettings
from flaskllm.core.errors import APIError, InvalidInputError
from flaskllm.llm.prompts import TemplateError, load_library
from flaskllm.net.egress import EgressRefused
from flaskllm.services.inbound import checks
from flaskllm.services.inbound.certificates import Certificates
from flaskllm.services.inbound.endpoints import InboundEndpoints
from flaskllm.services.inbound.judging import Judging
from flaskllm.services.inbound.taking import Taking
from flaskllm.services.inbound.terms import Inbound, InboundTerms, terms_of
from flaskllm.services.models import Models
from flaskllm.storage.endpoints import ENABLED
from flaskllm.storage.inbound import InboundRows
from flaskllm.wiring.egress import build_egress
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.jobs import DurableWork, build_owners
from flaskllm.wiring.secrets import reveal


def build_inbound(ground: Ground, work: DurableWork, models: Models) -> Taking:
    """Return what takes deliveries; nothing is opened.

    Raises:
        ConfigError: An endpoint of the settings cannot take any.
    """
    problems = [*check_inbound(ground.settings)]
    if problems:
        raise ConfigError(problems)
    owners, receivers = build_owners(ground), work.callbacks.receivers
    templates = work.jobs.accepting.templates
    endpoints = InboundEndpoints(
        InboundRows(ground.database, ground.clock),
        _of_file(ground.settings),
        Judging(owners, receivers, templates, models.find),
        ground.clock,
    )
    return Taking(
        endpoints,
        Certificates(work.fetcher, ground.clock),
        work.fetcher,
        owners,
        receivers,
        work.jobs,
        ground.clock,
    )


def check_inbound(settings: Settings) -> Iterator[Problem]:
    """Yield everything that keeps an inbound endpoint from taking deliveries."""
    for name, told in settings.inbound.items():
        terms = _terms(told)
        if told.api_token is None and settings.api_token is None:
            allowed = "the id of an API token; left out it is the bootstrap API token"
            yield _problem(name, "api_token", "nothing", f"{allowed}, of which is none")
        for fault in checks.faults(told.sender, terms):
            yield _problem(name, fault.path, fault.problem, fault.allowed)
        yield from _check_digest(name, terms, settings)
        yield from _check_callback(name, terms, settings)


def _check_digest(
    name: str, terms: InboundTerms, settings: Settings
) -> Iterator[Problem]:
    try:
        parse_model(DigestFields, terms.digest)
        library = load_library(settings.templates_dir)
        checks.check_digest(terms, library, SystemClock().now())
    except InvalidInputError as error:
        for each in error.fields:
            yield _problem(name, f"digest.{each.path}", each.problem, each.allowed)
    except (TemplateError, ValueError, OSError):
        pass  # another check tells it


def _check_callback(
    name: str, terms: InboundTerms, settings: Settings
) -> Iterator[Problem]:
    if terms.callback_url is None:
        return
    try:
        build_egress(settings, SystemClock()).check(terms.callback_url)
    except EgressRefused as refused:
        yield _problem(name, "callback_url", refused.problem, refused.allowed)
    except (ConfigError, APIError):
        pass  # another check tells it


def _problem(name: str, path: str, found: str, allowed: str = "") -> Problem:
    return Problem(f"inbound.{name}.{path}", found, allowed, check="inbound")


def _of_file(settings: Settings) -> dict[str, Inbound]:
    return {
        name: Inbound(
            id=name,
            name=name,
            sender=told.sender,
            principal_id=BOOTSTRAP.id if told.api_token is None else told.api_token,
            state=ENABLED,
            origin="file",
            terms=_terms(told),
        )
        for name, told in settings.inbound.items()
    }


def _terms(told: InboundSettings) -> InboundTerms:
    said = told.model_dump()
    for name in ("secret", "password", "api_key", "callback_url"):
        said[name] = reveal(said[name])
    return terms_of(said)
