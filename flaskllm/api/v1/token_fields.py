"""API tokens on the wire: what an admin may say of them, and what is shown."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flaskllm.api.v1.budgets import Alias, Nanos
from flaskllm.api.v1.chat_fields import whole
from flaskllm.api.v1.queries import QueryFields
from flaskllm.api.v1.webhook_fields import Moment
from flaskllm.api.validation import refusal
from flaskllm.core.auth import Scope
from flaskllm.core.subjects import TAG_RULE, is_tag
from flaskllm.services.api_tokens import LONGEST_OVERLAP_SECONDS
from flaskllm.services.budget_keeping import Kind, NewBudget, Period
from flaskllm.services.grant_checks import (
    LARGEST_LIMIT,
    LONGEST_ALIAS,
    LONGEST_NAME,
    LONGEST_OWNER,
    MOST_ALIASES,
    MOST_NETWORKS,
    MOST_TAGS,
)
from flaskllm.services.grants import Grant

MOST_BUDGETS = 6  # one soft and one hard for each period

_STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
_LONGEST_NETWORK = 60


def _check_tag(value: object) -> object:
    if isinstance(value, str) and not is_tag(value):
        raise refusal("is no tag", TAG_RULE)
    return value


ScopeName = Literal["webhook", "chat", "read", "admin"]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Owner = Annotated[str, Field(max_length=LONGEST_OWNER)]
Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT), BeforeValidator(whole)]
Seconds = Annotated[
    int, Field(ge=0, le=LONGEST_OVERLAP_SECONDS), BeforeValidator(whole)
]
Tag = Annotated[
    str,
    BeforeValidator(_check_tag),
    Field(json_schema_extra={"pattern": r"^[a-z0-9][a-z0-9._-]{0,39}$"}),
]
Scopes = Annotated[list[ScopeName], Field(min_length=1, max_length=20)]
Aliases = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_ALIAS)]],
    Field(min_length=1, max_length=MOST_ALIASES),
]
Networks = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=_LONGEST_NETWORK)]],
    Field(min_length=1, max_length=MOST_NETWORKS),
]
Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS)]


class _GrantFields(BaseModel):
    """What may be left out of an API token: then it does not restrict."""

    model_config = _STRICT

    expires_at: Moment | None = Field(
        None, description="When it ends, in the future; null is never."
    )
    direct_models: bool = Field(
        default_factory=bool, description="May name `provider/model`, past the routes."
    )
    aliases: Aliases | None = Field(
        None, description="The only model names that it may send; null is every one."
    )
    requests_per_minute: Limit | None = Field(None, description="Null: no limit.")
    tokens_per_minute: Limit | None = Field(None, description="Null: no limit.")
    concurrent_requests: Limit | None = Field(None, description="Null: no limit.")
    networks: Networks | None = Field(
        None, description="Whence it may call: addresses and CIDRs; null is everywhere."
    )
    owner: Owner = Field(
        default_factory=str, description="A label for people; it grants nothing."
    )
    tags: Tags = Field(
        default_factory=list, description="Labels by which money is summed."
    )

    def given(self) -> dict[str, Any]:
        """Return what was said, as the fields of a grant."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: _as_granted(name, value) for name, value in said.items()}


class TokenBudget(BaseModel):
    """A first budget of a new API token."""

    model_config = _STRICT

    period: Period = Field(
        description="Days, weeks (from Monday) and months of `accounting.time_zone`."
    )
    kind: Kind = Field(
        "hard", description="`hard` refuses what does not fit, `soft` only tells."
    )
    limit_nanos: Nanos = Field(description="In nano-dollars.")
    on_exhausted: Alias | None = Field(
        None, description="The alias that is asked instead once a hard one is spent."
    )

    def wanted_for(self, subject: str) -> NewBudget:
        """Return it as a budget of this subject."""
        return NewBudget(
            subject, self.period, self.kind, self.limit_nanos, self.on_exhausted
        )


class TokenFields(_GrantFields):
    """An API token that is wanted."""

    name: Name = Field(description="Tells people what it is for.")
    scopes: Scopes = Field(description="What it may do; `admin` holds all others.")
    budgets: Annotated[list[TokenBudget], Field(max_length=MOST_BUDGETS)] = Field(
        default_factory=list, description="Made with it, or it is not made."
    )

    def grant(self) -> Grant:
        """Return what the API token is to be given."""
        given = self.given()
        given.pop("budgets", None)
        return Grant(**given)


class TokenChanges(_GrantFields):
    """What is to be changed; what is absent stays, null takes a restriction away."""

    # What is absent is not read; made by factories no default shows in the schema.
    name: Name = Field(default_factory=str, description="Tells what it is for.")
    scopes: Scopes = Field(default_factory=list, description="Those it has then.")


class RollFields(BaseModel):
    """How an API token is rolled."""

    model_config = _STRICT

    overlap_seconds: Seconds = Field(
        0, description="How long the old secret stays good: at most 30 days."
    )


class ErasingFields(QueryFields):
    """What goes of what a principal has made."""

    accounts: Literal["true", "false"] | None = Field(
        None,
        description="`true`: its usage and what it has spent go too; only when its API "
        "token is revoked or has expired.",
    )


def _as_granted(name: str, value: Any) -> Any:
    if name == "scopes":
        return frozenset(Scope(each) for each in value)
    if name == "aliases":
        return None if value is None else frozenset(value)
    return tuple(value) if isinstance(value, list) else value
