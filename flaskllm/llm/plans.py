"""What an attempt may take at most: known, and reserved, before it is made."""

from flaskllm.llm import prices
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest, Plan


def plan_of(lineup: Lineup, current: Candidate, usual_output_tokens: int) -> Plan:
    """Return the plan of one attempt.

    The input is estimated; the output is, for each answer that is asked for,
    ``min(the caller's cap, the deployment's cap)``, and without a caller's cap at
    most `usual_output_tokens`. Both are reserved at the dearest candidate's price, as
    if all of the input were written to a cache where that is dearer: whoever answers
    in the end, it was judged by the worst case.

    Args:
        lineup: Whom the request may go to.
        current: Whom it goes to now.
        usual_output_tokens: The planned maximum of an answer that nobody caps.
    """
    request, deployment = lineup.request, current.deployment
    tokens_input = lineup.sizes.of(deployment)
    reserved_nanos = max(
        _most_nanos(lineup, each.deployment, usual_output_tokens)
        for each in lineup.candidates
    )
    return Plan(
        tokens_input,
        most_output_tokens(request, deployment, usual_output_tokens),
        reserved_nanos,
        _expected_nanos(request, deployment, tokens_input, reserved_nanos),
    )


def most_output_tokens(
    request: CompletionRequest | EmbeddingRequest,
    deployment: Deployment,
    usual_output_tokens: int,
) -> int:
    """Return the planned maximum of the output, see `plan_of`; vectors have none."""
    if isinstance(request, EmbeddingRequest):
        return 0
    caps = (request.max_output_tokens, deployment.max_output_tokens)
    known = (cap for cap in caps if cap is not None)
    # A cap of the caller's above the usual is meant: only what nobody said is ours.
    most = min(known, default=usual_output_tokens)
    if request.max_output_tokens is None:
        most = min(most, usual_output_tokens)
    return most * request.choices


def _most_nanos(
    lineup: Lineup, deployment: Deployment, usual_output_tokens: int
) -> int:
    price = prices.price_of(deployment)
    if price is None:
        return 0
    return prices.most_cost_nanos(
        price,
        lineup.sizes.of(deployment),
        most_output_tokens(lineup.request, deployment, usual_output_tokens),
    )


def _expected_nanos(
    request: CompletionRequest | EmbeddingRequest,
    deployment: Deployment,
    tokens_input: int,
    reserved_nanos: int,
) -> int | None:
    price = prices.price_of(deployment)
    if price is None:
        return None
    tokens_output = prices.expected_output_tokens(request, deployment)
    expected = prices.expected_cost_nanos(price, tokens_input, tokens_output)
    return min(expected, reserved_nanos)
