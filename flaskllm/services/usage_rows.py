"""An attempt as it lies in the usage table: before it is made, and once it ended."""

from datetime import datetime

from flaskllm.core.ids import new_ordered_id
from flaskllm.llm.cached import Remembered
from flaskllm.llm.types import Attempt, Outcome
from flaskllm.services.bills import Bill, price_text
from flaskllm.storage.usage import CACHED, Described, UsageRow, described_fields

_MOST_DECISION_CHARACTERS = 300
# PostgreSQL refuses what is longer than its column, and with it the whole batch.
_MOST_NAME_CHARACTERS = 200


def describe(
    attempt: Attempt, source: str, tags: str, *, opens_request: bool
) -> Described:
    """Return what is known of an attempt before it is made.

    Names are cut to 200 characters: a caller who names models directly may send more.

    Args:
        attempt: The attempt.
        source: Through which door its request came, at most 40 characters.
        tags: The principal's, separated by blanks.
        opens_request: Whether it is the first one of its request.
    """
    deployment = attempt.deployment
    return Described(
        alias=attempt.alias[:_MOST_NAME_CHARACTERS],
        deployment=deployment.name[:_MOST_NAME_CHARACTERS],
        provider=deployment.provider[:_MOST_NAME_CHARACTERS],
        model=deployment.model[:_MOST_NAME_CHARACTERS],
        attempt=attempt.number,
        decision=attempt.decision[:_MOST_DECISION_CHARACTERS],
        source=source,
        tags=tags,
        price=price_text(attempt.price),
        opens_request=opens_request,
    )


def usage_row(
    attempt_id: str,
    described: Described,
    outcome: Outcome,
    bill: Bill,
    *,
    request_id: str,
    principal_id: str,
    began_at: datetime,
) -> UsageRow:
    """Return the row of an attempt that ended; `began_at` is aware."""
    used, first_seconds = outcome.usage, outcome.first_token_seconds
    return UsageRow(
        id=attempt_id,
        request_id=request_id,
        principal_id=principal_id,
        outcome=outcome.code,
        latency_ms=round(outcome.latency_seconds * 1000),
        input_uncached=used.input_uncached,
        input_cache_read=used.input_cache_read,
        input_cache_write=used.input_cache_write,
        output_text=used.output_text,
        output_reasoning=used.output_reasoning,
        usage_source=used.source,
        created_at=began_at,
        cost_nanos=bill.nanos,
        is_estimated=bill.is_estimated,
        first_token_ms=None if first_seconds is None else round(first_seconds * 1000),
        **described_fields(described),
    )


def remembered_row(
    told: Remembered,
    *,
    request_id: str,
    principal_id: str,
    source: str,
    tags: str,
    at: datetime,
    opens_request: bool,
) -> UsageRow:
    """Return the row of an answer for which no upstream was asked; `at` is aware.

    Its tokens were counted when it was made, in the row of that attempt: here they
    are none, so that sums agree with what upstreams count.
    """
    return UsageRow(
        id=new_ordered_id("att"),
        request_id=request_id,
        principal_id=principal_id,
        alias=told.alias[:_MOST_NAME_CHARACTERS],
        deployment=told.deployment[:_MOST_NAME_CHARACTERS],
        provider=told.provider[:_MOST_NAME_CHARACTERS],
        model=told.model[:_MOST_NAME_CHARACTERS],
        attempt=0,
        outcome="OK",
        latency_ms=0,
        input_uncached=0,
        input_cache_read=0,
        input_cache_write=0,
        output_text=0,
        output_reasoning=0,
        usage_source=CACHED,
        created_at=at,
        decision="cache",
        source=source,
        tags=tags,
        cost_nanos=0,
        saved_nanos=told.saved_nanos or 0,
        opens_request=opens_request,
    )
