"""`/api/v1/tokens`: who may call, and what each is given."""

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.admin import read_admin_json
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.budgets import budget_data
from flaskllm.api.v1.paging import PageFields, cut
from flaskllm.api.v1.queries import read_query
from flaskllm.api.v1.token_data import (
    ErasedData,
    ErasedReply,
    NewTokenReply,
    OwnTokenData,
    OwnTokenReply,
    TokenReply,
    TokensReply,
    new_token_data,
    token_data,
)
from flaskllm.api.v1.token_fields import (
    ErasingFields,
    RollFields,
    TokenChanges,
    TokenFields,
)
from flaskllm.api.validation import parse_model
from flaskllm.core.auth import NewToken, Scope
from flaskllm.core.errors import Conflict, NotFound, PayloadTooLarge
from flaskllm.services.api_tokens import ApiToken, BudgetRow

# Proxies wait for no answer much longer.
_ERASING_SECONDS = 20.0

blueprint = Blueprint("tokens", __name__)


class _TokenId(BaseConverter):
    """An id in an address: all but `self`, which has a route of its own."""

    regex = r"(?!self$)[^/]+"


@blueprint.record_once
def _know_ids(state: BlueprintSetupState) -> None:
    # Before the routes below: they are added in the order of this file.
    state.app.url_map.converters["token"] = _TokenId


@blueprint.get("/tokens")
@guarded(Scope.ADMIN)
@documented(
    summary="List API tokens, the oldest first, revoked and expired ones too.",
    query=PageFields,
    replies={200: TokensReply},
)
def list_page() -> Response:
    """Return a page of all API tokens, without their secrets."""
    fields = read_query(PageFields)
    found = context.services().api_tokens.page(fields.most + 1, fields.place)
    shown, following = cut(found, fields.most, ApiToken.place)
    return data_reply(
        [token_data(each).model_dump(mode="json") for each in shown],
        {"next": following},
    )


@blueprint.post("/tokens")
@guarded(Scope.ADMIN)
@documented(
    summary="Make an API token; its secret is shown once.",
    body={"application/json": TokenFields},
    replies={201: NewTokenReply},
    errors=(Conflict, PayloadTooLarge),
)
def create() -> Response:
    """Make an API token that has no more than the caller."""
    fields = parse_model(TokenFields, read_admin_json())
    house, actor, caller = context.services(), actor_here(), context.principal()

    def drafts(subject: str) -> Sequence[BudgetRow]:
        wanted = (each.wanted_for(subject) for each in fields.budgets)
        return [house.budgets.draft(each, caller, actor) for each in wanted]

    made = house.api_tokens.create(
        fields.grant(), actor=actor, by=caller, budgets=drafts
    )
    reply = _made_reply(made, 201)
    reply.headers["Location"] = f"/api/v1/tokens/{made.id}"
    return reply


@blueprint.get("/tokens/self")
@guarded(*Scope)
@documented(
    summary="Show the API token of this request, its limits and its budgets.",
    replies={200: OwnTokenReply},
    errors=(NotFound,),
)
def show_own() -> Response:
    """Return what the caller is given."""
    house, caller = context.services(), context.principal()
    token = token_data(house.api_tokens.own(caller))
    budgets = [budget_data(each) for each in house.budgets.list_own(caller)]
    data = OwnTokenData(**dict(token), budgets=budgets)
    return data_reply(data.model_dump(mode="json"), {})


@blueprint.get("/tokens/<token:token_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Show an API token, without its secret.",
    replies={200: TokenReply},
    errors=(NotFound,),
)
def show(token_id: str) -> Response:
    """Return one API token."""
    token = context.services().api_tokens.get(token_id)
    return data_reply(token_data(token).model_dump(mode="json"), {})


@blueprint.patch("/tokens/<token:token_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Change what an API token is given, in every process within a second.",
    body={"application/json": TokenChanges},
    replies={200: TokenReply},
    errors=(NotFound, Conflict, PayloadTooLarge),
)
def change(token_id: str) -> Response:
    """Change what was said; the rest stays."""
    fields = parse_model(TokenChanges, read_admin_json())
    token = context.services().api_tokens.update(
        token_id, fields.given(), actor=actor_here(), by=context.principal()
    )
    return data_reply(token_data(token).model_dump(mode="json"), {})


@blueprint.post("/tokens/<token:token_id>/roll")
@guarded(Scope.ADMIN)
@documented(
    summary="Give an API token a new secret, which is shown once; its id stays.",
    body={"application/json": RollFields},
    replies={200: NewTokenReply},
    errors=(NotFound, Conflict, PayloadTooLarge),
)
def roll(token_id: str) -> Response:
    """Make a new secret; the old one ends now, or after the overlap."""
    fields = parse_model(RollFields, read_admin_json() if request.data else {})
    made = context.services().api_tokens.roll(
        token_id, fields.overlap_seconds, actor=actor_here(), by=context.principal()
    )
    return _made_reply(made, 200)


@blueprint.delete("/tokens/<token:token_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Revoke an API token: it and its streams end within a second or so.",
    replies={200: TokenReply},
    errors=(NotFound,),
)
def revoke(token_id: str) -> Response:
    """Refuse an API token from now on; once is as good as twice."""
    token = context.services().api_tokens.revoke(token_id, actor=actor_here())
    return data_reply(token_data(token).model_dump(mode="json"), {})


@blueprint.delete("/tokens/<token:token_id>/data")
@guarded(Scope.ADMIN)
@documented(
    summary="Remove what a principal has made; 202 means that some of it is left.",
    query=ErasingFields,
    replies={200: ErasedReply, 202: ErasedReply},
    errors=(NotFound, Conflict),
)
def erase(token_id: str) -> Response:
    """Remove content, and accounts where that is asked for."""
    fields = read_query(ErasingFields)
    erased = context.services().keeping.erasing.erase(
        token_id,
        actor_here(),
        accounts=fields.accounts == "true",
        most_seconds=_ERASING_SECONDS,
    )
    data = ErasedData(removed=dict(erased.counts), complete=erased.is_complete)
    status = 200 if erased.is_complete else 202
    return data_reply(data.model_dump(mode="json"), {}, status)


def _made_reply(made: NewToken, status: int) -> Response:
    token = context.services().api_tokens.get(made.id)
    return data_reply(new_token_data(token, made).model_dump(mode="json"), {}, status)
