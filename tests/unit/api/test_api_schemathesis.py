"""The API does what its description says, for requests that a machine makes up."""

from itertools import count

import schemathesis
from face_fakes import build, token_for
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from model_fakes import FakeCompletions, FakeStream, OpenAIServices
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)
from token_fakes import KeptTokens

from flaskllm.core.config import LimitSettings
from flaskllm.llm.streams import Chunk

HEADERS = {"Authorization": f"Bearer {token_for('admin')}"}
RAW = (
    "message/rfc822",
    "text/vtt",
    "application/x-subrip",
    "text/plain",
    "text/calendar",
)

KEY = "Idempotency-Key"
numbers = count()

documents = st.binary(min_size=1).filter(lambda content: content.strip())
for media_type in RAW:
    schemathesis.openapi.media_type(media_type, documents)


def make_schema():
    many = 1_000_000
    limits = LimitSettings(
        authentication_failures_per_minute=many, unauthenticated_per_minute=many
    )
    streamed = FakeStream([Chunk(text="Hi.")])
    services = OpenAIServices(
        api_tokens=KeptTokens(), completions=FakeCompletions(stream_answer=streamed)
    )
    app = build(services, limits=limits)
    made = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=HEADERS)
    made.config.generation.with_security_parameters = False
    # The senders' settings are many, and held by the whole gateway's description.
    return made.exclude(path_regex="^/api/v1/inbound")


schema = make_schema()


@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described_and_every_constraint_is_held(case):
    meta = case.meta
    if meta and meta.generation.mode.is_positive:
        _use_a_real_timezone(case)
        _use_public_addresses(case.body)
        _use_a_fresh_key(case)
        _use_plain_money(case.body)
        _use_a_first_page(case.query)
        _use_a_short_span(case.path, case.query)
        _use_a_known_preference(case.headers)
        for place in (case.query, case.body):
            _use_names_that_are_there(place)
        if "/endpoints" in case.path:
            _use_a_sensible_endpoint(case.body)
        if "/tokens" in case.path:
            _use_a_sensible_grant(case.body)
    # All values of a form are texts, so a number where a text should be is one.
    in_a_form = case.media_type == "multipart/form-data"
    excluded = [negative_data_rejection] if in_a_form else []
    # No request of plain HTTP opens a WebSocket.
    excluded += [positive_data_acceptance] if case.path.endswith("/ws") else []

    case.call_and_validate(headers=HEADERS, excluded_checks=excluded)


def _use_public_addresses(value):
    """No pattern can say which hosts of pictures are on the public internet."""
    for part in value.values() if isinstance(value, dict) else ():
        _use_public_addresses(part)
    for part in value if isinstance(value, list) else ():
        _use_public_addresses(part)
    if isinstance(value, dict) and str(value.get("url")).startswith("https://"):
        value["url"] = "https://example.org/a.png"


def _use_plain_money(body):
    """No schema can say that 25.0 is no whole number: to it they are the same."""
    if isinstance(body, dict) and isinstance(body.get("limit_nanos"), float):
        body["limit_nanos"] = int(body["limit_nanos"])


def _use_a_first_page(query):
    """No schema can say which texts end a page, nor that 60.0 is no count there."""
    if isinstance(query, dict):
        query.pop("after", None)
        if isinstance(query.get("limit"), float):
            query["limit"] = int(query["limit"])


def _use_a_short_span(path, query):
    """No schema can say how much a series may hold, nor what it is kept by."""
    if path.endswith(("/timeseries", "/timeseries.csv", "/latency", "/latency.csv")):
        query |= {"since": "2026-01-01", "until": "2026-01-02", "by": "model"}
        for name in ("source", "tag"):
            query.pop(name, None)


def _use_a_known_preference(headers):
    """No schema can say what of the header counts for nothing."""
    if headers and "Prefer" in headers:
        headers["Prefer"] = "respond-async"


def _use_names_that_are_there(fields):
    """No schema can say which there are, or where a URL leads."""
    if isinstance(fields, dict):
        fields.pop("endpoint", None)
        if fields.get("model"):
            fields["model"] = "fast"
        if fields.get("callback_url"):
            fields["callback_url"] = "https://example.org/done"


def _use_a_sensible_endpoint(body):
    """No schema can say what is printable, signs, or goes together."""
    usual = {
        "name": "Team",
        "url": "https://example.org/hook",
        "secret": f"whsec_{'A' * 32}",
        "rendering": "json",
    }
    if isinstance(body, dict):
        body |= {name: usual[name] for name in body if name in usual}
        body.pop("email", None)
        if isinstance(body.get("overlap_seconds"), float):
            body["overlap_seconds"] = int(body["overlap_seconds"])
        if "events" in body and "name" in body:
            body["url"] = usual["url"]


def _use_a_sensible_grant(body):
    """No schema can say what is printable, a network or in the future."""
    usual = {
        "name": "x",
        "owner": "Ann",
        "aliases": ["fast"],
        "networks": ["192.0.2.0/24"],
        "expires_at": "2099-01-31T00:00:00Z",
    }
    if isinstance(body, dict):
        body |= {name: usual[name] for name in body if body[name] and name in usual}
        for budget in body.get("budgets", ()):
            _use_plain_money(budget)
            budget.pop("on_exhausted", None)  # none of a soft one


def _use_a_fresh_key(case):
    """No schema can say that a key must not have come with another request."""
    if case.headers and KEY in case.headers:
        case.headers[KEY] = f"key-{next(numbers)}"


def _use_a_real_timezone(case):
    """No schema can list the names that a machine's time zone database has."""
    for place in (case.query, case.body, *_items_of(case.body)):
        if isinstance(place, dict) and place.get("timezone"):
            place["timezone"] = "Europe/Berlin"


def _items_of(body):
    return body.get("items", ()) if isinstance(body, dict) else ()
