"""`POST /api/v1/routes/explain`: who would be asked, and why; nobody is asked."""

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.chat import CHAT_BODY_BYTES
from flaskllm.api.v1.explain_fields import ExplainFields, read_question
from flaskllm.api.v1.standings import (
    Reason,
    StandingData,
    StateMeta,
    rounded,
    standing_data,
)
from flaskllm.api.validation import read_json
from flaskllm.core.auth import Scope
from flaskllm.core.errors import (
    APIError,
    ModelNotFound,
    NoModelConfigured,
    PayloadTooLarge,
)
from flaskllm.core.money import dollars
from flaskllm.llm.explanations import Excluded, Explained, Explanation
from flaskllm.llm.strategies.scores import SCORES

blueprint = Blueprint("routes", __name__)


class ExplainedRoute(BaseModel):
    """The route that the request's name leads to."""

    name: str
    strategy: str
    fallbacks: list[str] = Field(description="The routes behind it, the nearest first.")
    rescue: str


class CandidateData(BaseModel):
    """A deployment that would be asked."""

    route: str = Field(description="The route that leads to it.")
    deployment: str
    provider: str
    model: str
    weight: int
    strategy: str = Field(description="Its route's.")
    score: float | None = Field(description="By which its strategy placed it.")
    score_meaning: str = Field(description="Its unit, and which end is first.")
    tokens_input: int = Field(description="About, for its tokenizer.")
    tokens_output: int = Field(description="What an answer is supposed to have.")
    cost: float | None = Field(description="US dollars; null when not known.")
    standing: StandingData


class ExclusionData(BaseModel):
    """A deployment that would not be asked now."""

    route: str
    deployment: str
    provider: str
    model: str
    reason: Reason
    details: str = Field(description="What it lacks, or the sizes; may be empty.")
    seconds: float | None = Field(
        description="How long the reason still lasts; null where nobody knows, or "
        "where it does not pass by itself."
    )
    standing: StandingData | None = Field(description="Null where it has no part.")


class Told(BaseModel):
    """An error that a caller would get."""

    error: str
    details: str
    code: str


class ExplanationData(BaseModel):
    """How a request would be routed."""

    route: ExplainedRoute
    candidates: list[CandidateData] = Field(description="In the order to ask them.")
    exclusions: list[ExclusionData]
    last_resort: str | None = Field(
        description="Without candidates: the deployment that one request at a time "
        "may try although its breaker is open."
    )
    error: Told | None = Field(
        description="What the caller would be told at once; null where somebody is "
        "asked."
    )


class ExplanationMeta(StateMeta):
    """Which settings hold, and what was not understood."""

    warnings: list[str] = Field(description="One for each field that is not known.")


class ExplanationReply(BaseModel):
    """How a request would be routed."""

    data: ExplanationData
    meta: ExplanationMeta


@blueprint.post("/routes/explain")
@guarded(Scope.READ, Scope.CHAT)
@documented(
    summary="Tell who would be asked, and why, without asking anybody.",
    body={"application/json": ExplainFields},
    replies={200: ExplanationReply},
    errors=(ModelNotFound, NoModelConfigured, PayloadTooLarge),
)
def explain() -> Response:
    """Return how the chat in this request would be routed by this process."""
    house = context.services()
    caller = context.principal()
    order = read_question(read_json(CHAT_BODY_BYTES), direct=caller.direct_models)
    data = explanation_data(house.routes.explain(order.request, caller.aliases))
    meta = ExplanationMeta(
        settings_version=house.settings.version(), warnings=list(order.warnings)
    )
    return data_reply(data.model_dump(), meta.model_dump())


def explanation_data(explanation: Explanation) -> ExplanationData:
    """Return the explanation as this route tells it."""
    route = explanation.route
    return ExplanationData(
        route=ExplainedRoute(
            name=route.name,
            strategy=route.strategy,
            fallbacks=list(explanation.fallbacks),
            rescue=route.rescue,
        ),
        candidates=[
            _candidate_data(each, explanation.strategies[each.alias])
            for each in explanation.candidates
        ],
        exclusions=[_exclusion_data(each) for each in explanation.excluded],
        last_resort=explanation.last_resort,
        error=_told(explanation.error) if explanation.error else None,
    )


def _candidate_data(each: Explained, strategy: str) -> CandidateData:
    return CandidateData(
        route=each.alias,
        deployment=each.deployment.name,
        provider=each.deployment.provider,
        model=each.deployment.model,
        weight=each.weight,
        strategy=strategy,
        score=each.score,
        score_meaning=SCORES[strategy].meaning,
        tokens_input=each.tokens_input,
        tokens_output=each.tokens_output,
        cost=dollars(each.cost_nanos),
        standing=standing_data(each.standing),
    )


def _exclusion_data(each: Excluded) -> ExclusionData:
    return ExclusionData(
        route=each.alias,
        deployment=each.deployment.name,
        provider=each.deployment.provider,
        model=each.deployment.model,
        reason=each.reason,
        details=each.details,
        seconds=rounded(each.seconds),
        standing=standing_data(each.standing) if each.standing else None,
    )


def _told(error: APIError) -> Told:
    return Told(error=error.message, details=error.details, code=error.code)
