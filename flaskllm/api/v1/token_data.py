"""API tokens as they are shown, never with more than is meant to be seen."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from flaskllm.api.v1.budgets import BudgetData
from flaskllm.api.v1.paging import Nothing, PageMeta
from flaskllm.core.auth import NewToken
from flaskllm.services.api_tokens import ApiToken


class TokenData(BaseModel):
    """An API token, without its secret."""

    id: str = Field(description="That of the principal; it stays when it is rolled.")
    name: str
    state: Literal["active", "expired", "revoked"]
    scopes: list[str]
    direct_models: bool
    aliases: list[str] | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrent_requests: int | None
    networks: list[str] | None
    owner: str
    tags: list[str]
    created_at: datetime | None = Field(
        description="Null for the API token of the settings."
    )
    created_by: str = Field(description="A principal's id, or `cli:USER`.")
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    previous_until: datetime | None = Field(
        description="Until when the secret before the last roll is good."
    )


class NewTokenData(TokenData):
    """An API token with its secret, which is shown once."""

    token: str = Field(description="The secret. Keep it now.")


class OwnTokenData(TokenData):
    """One's own API token."""

    budgets: list[BudgetData] = Field(description="Its own, and those of its tags.")


class TokenReply(BaseModel):
    """One API token."""

    data: TokenData
    meta: Nothing


class NewTokenReply(BaseModel):
    """A secret that was just made."""

    data: NewTokenData
    meta: Nothing


class OwnTokenReply(BaseModel):
    """One's own API token."""

    data: OwnTokenData
    meta: Nothing


class ErasedData(BaseModel):
    """What was removed of what a principal had made."""

    removed: dict[str, int] = Field(
        description="How many rows of which table, and how many open jobs were "
        "`cancelled`."
    )
    complete: bool = Field(description="Whether nothing is left; else ask once more.")


class ErasedReply(BaseModel):
    """What was removed."""

    data: ErasedData
    meta: Nothing


class TokensReply(BaseModel):
    """A page of API tokens, the oldest first."""

    data: list[TokenData]
    meta: PageMeta


def token_data(token: ApiToken) -> TokenData:
    """Return what is shown of an API token."""
    grant = token.grant
    return TokenData(
        id=token.id,
        name=grant.name,
        state=token.state,
        scopes=sorted(grant.scopes),
        direct_models=grant.direct_models,
        aliases=None if grant.aliases is None else sorted(grant.aliases),
        requests_per_minute=grant.requests_per_minute,
        tokens_per_minute=grant.tokens_per_minute,
        concurrent_requests=grant.concurrent_requests,
        networks=None if grant.networks is None else list(grant.networks),
        owner=grant.owner,
        tags=list(grant.tags),
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=grant.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        previous_until=token.previous_until,
    )


def new_token_data(token: ApiToken, made: NewToken) -> NewTokenData:
    """Return what is shown of an API token when its secret was just made."""
    return NewTokenData(**dict(token_data(token)), token=made.text)
