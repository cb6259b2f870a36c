"""What `/api/v1/usage/shares` answers."""

from datetime import date

from pydantic import BaseModel, Field

from flaskllm.api.v1.usage_data import SumsData, sums_data
from flaskllm.core.money import NANOS_PER_DOLLAR
from flaskllm.services.usage_shares import Part, Share, Shares

_ESTIMATE = "US dollars in billionths: an estimate; null where no price is known."


class PartData(BaseModel):
    """A part of everything, from 0 to 1; null where there is nothing."""

    answered: float | None = Field(description="Of the attempts that were answered.")
    tokens: float | None = Field(description="Of all tokens.")
    cost: float | None = Field(description="Of all money.")


class ShareData(BaseModel):
    """One deployment under one alias."""

    alias: str
    deployment: str
    attempts: int
    answered: int
    tokens_input: int
    tokens_output: int
    cost: float = Field(description="US dollars, of what has a price.")
    cost_nanos: int
    part: PartData
    cheaper: bool | None = Field(
        description="Than the dearest one asked under this alias, at list prices; null "
        "where prices are not known."
    )
    at_dearest_nanos: int | None = Field(description=_ESTIMATE)
    saved_nanos: int | None = Field(description=_ESTIMATE)


class SharesData(BaseModel):
    """How usage is shared."""

    total: SumsData
    cheaper: PartData = Field(description="What went to cheaper deployments.")
    at_dearest_nanos: int = Field(
        description="What all tokens with a price would have cost at the dearest "
        "deployment of their alias: an estimate."
    )
    saved_nanos: int = Field(description="That, less what they did cost.")
    deployments: list[ShareData] = Field(description="Who answered most first.")


class SharesMeta(BaseModel):
    """Of which days."""

    since: date
    until: date
    time_zone: str


class SharesReply(BaseModel):
    """How traffic and money are shared among deployments."""

    data: SharesData
    meta: SharesMeta


def shares_data(found: Shares) -> dict[str, object]:
    """Return how usage is shared."""
    return {
        "total": sums_data(found.total),
        "cheaper": _part(found.cheaper),
        "at_dearest_nanos": found.at_dearest_nanos,
        "saved_nanos": found.saved_nanos,
        "deployments": [_share(each, found) for each in found.shares],
    }


def _share(share: Share, among: Shares) -> dict[str, object]:
    sums = share.sums
    return {
        "alias": share.alias,
        "deployment": share.deployment,
        "attempts": sums.attempts,
        "answered": share.answered,
        "tokens_input": sums.tokens_input,
        "tokens_output": sums.tokens_output,
        "cost": sums.cost_nanos / NANOS_PER_DOLLAR,
        "cost_nanos": sums.cost_nanos,
        "part": _part(among.part_of(share)),
        "cheaper": share.is_cheaper,
        "at_dearest_nanos": share.at_dearest_nanos,
        "saved_nanos": share.saved_nanos,
    }


def _part(part: Part) -> dict[str, float | None]:
    told = {"answered": part.answered, "tokens": part.tokens, "cost": part.cost}
    return {
        name: None if each is None else round(each, 6) for name, each in told.items()
    }
