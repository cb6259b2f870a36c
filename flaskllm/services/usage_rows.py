"""An attempt as it lies in the usage table: before it is made, and once it ended."""

from datetime import datetime

from flaskllm.llm.types import Attempt, Outcome
from flaskllm.services.bills import Bill, price_text
from flaskllm.storage.usage import Described, UsageRow, described_fields

_MOST_DECISION_CHARACTERS = 300
# PostgreSQL refuses what is longer than its column, and with it the whole batch.
_MOST_NAME_CHARACTERS = 200


def describe(attempt: Attempt, source: str, tags: str) -> Described:
    """Return what is known of an attempt before it is made.

    Names are cut to 200 characters: a caller who names models directly may send more.

    Args:
        attempt: The attempt.
        source: Through which door its request came, at most 40 characters.
        tags: The principal's, separated by blanks.
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
    used = outcome.usage
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
        **described_fields(described),
    )
