"""`/api/v1/budgets`: what may be spent, what is spent, and who sets it."""

from datetime import datetime
from typing import Annotated, cast

from flask import Blueprint, Response
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.admin import read_admin_json
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.paging import Nothing
from flaskllm.api.v1.queries import read_query
from flaskllm.api.validation import parse_model, refusal
from flaskllm.core.auth import Principal, Scope
from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    NotFound,
    PayloadTooLarge,
)
from flaskllm.core.money import dollars_of
from flaskllm.core.subjects import SUBJECT_PATTERN
from flaskllm.services.budget_keeping import (
    MOST_NANOS,
    BudgetReport,
    Changeable,
    Kind,
    NewBudget,
    Period,
)

_STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
_LIMIT = (
    f"a whole number of nano-dollars from 0 to {MOST_NANOS}; 25 dollars are 25000000000"
)

blueprint = Blueprint("budgets", __name__)


def _check_nanos(value: object) -> object:
    # `True` is an int to Python, and 2.5e10 is a float in JSON: neither is meant.
    if type(value) is not int:
        raise refusal("is not a whole number", _LIMIT)
    if not 0 <= value <= MOST_NANOS:
        raise refusal("is out of bounds", _LIMIT)
    return value


Nanos = Annotated[
    int, Field(ge=0, le=MOST_NANOS, strict=True), BeforeValidator(_check_nanos)
]
Alias = Annotated[str, Field(min_length=1, max_length=200)]
# Its form is checked further down, in better words than a pattern's.
Subject = Annotated[str, WithJsonSchema({"type": "string", "pattern": SUBJECT_PATTERN})]

# A soft budget stops nothing, so nothing takes over.
_NO_ALIAS_WHERE_SOFT: dict[str, JsonValue] = {
    "properties": {"kind": {"const": "soft"}, "on_exhausted": {"type": "string"}},
    "required": ["kind", "on_exhausted"],
}


class BudgetData(BaseModel):
    """One budget and how it stands. Money in nano-dollars, and in dollars as text."""

    id: str
    subject: str = Field(description="`principal:ID` or `tag:NAME`.")
    period: Period
    kind: Kind
    limit_nanos: int
    limit: str
    on_exhausted: str | None = Field(
        description="The alias that takes over; null refuses."
    )
    spent_nanos: int = Field(description="What ended attempts of this period cost.")
    spent: str
    reserved_nanos: int = Field(description="What attempts under way may cost at most.")
    reserved: str
    remaining_nanos: int = Field(description="What is neither; never below 0.")
    remaining: str
    period_start: str = Field(description="The first day of the present period.")
    resets_at: datetime = Field(description="When it ends.")
    created_at: datetime
    created_by: str = Field(description="The principal's id, or `cli:USER`.")


class BudgetReply(BaseModel):
    """One budget."""

    data: BudgetData
    meta: Nothing


class BudgetsReply(BaseModel):
    """Several budgets."""

    data: list[BudgetData]
    meta: Nothing


class RemovedBudget(BaseModel):
    """A budget that holds nobody back any more."""

    id: str


class RemovedBudgetReply(BaseModel):
    """What was removed."""

    data: RemovedBudget
    meta: Nothing


class BudgetQuery(BaseModel):
    """Which budgets are shown."""

    model_config = _STRICT

    subject: Subject | None = Field(
        None, description="Only those of `principal:ID` or `tag:NAME`."
    )


class BudgetFields(BaseModel):
    """A budget that is wanted."""

    model_config = _STRICT | ConfigDict(json_schema_extra={"not": _NO_ALIAS_WHERE_SOFT})

    subject: Subject = Field(
        description="`principal:ID` of an API token, or `tag:NAME`."
    )
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


class BudgetChanges(BaseModel):
    """What is to be changed; what is absent stays."""

    model_config = _STRICT | ConfigDict(
        json_schema_extra={"not": _NO_ALIAS_WHERE_SOFT, "minProperties": 1}
    )

    # What is absent is not read; made by factories no default shows in the schema.
    kind: Kind = Field(default_factory=lambda: "hard", description="As of a new one.")
    limit_nanos: Nanos = Field(default_factory=int, description="In nano-dollars.")
    on_exhausted: Alias | None = Field(None, description="Null: nothing takes over.")


@blueprint.get("/budgets")
@guarded(Scope.READ)
@documented(
    summary="Show budgets and how they stand: one's own; an admin's are all.",
    query=BudgetQuery,
    replies={200: BudgetsReply},
    errors=(InvalidInputError,),
)
def list_all() -> Response:
    """Return the budgets that this caller may see."""
    query = read_query(BudgetQuery)
    budgets, caller = context.services().budgets, context.principal()
    if _is_admin(caller):
        found = budgets.list_all(query.subject)
    else:
        # Of others there are none to see, so a filter only leaves fewer.
        found = tuple(
            each
            for each in budgets.list_own(caller)
            if query.subject in (None, each.budget.subject)
        )
    return data_reply([_shown(each) for each in found], {})


@blueprint.post("/budgets")
@guarded(Scope.ADMIN)
@documented(
    summary="Set what a principal, or all who carry a tag, may spend.",
    body={"application/json": BudgetFields},
    replies={201: BudgetReply},
    errors=(Conflict, PayloadTooLarge),
)
def create() -> Response:
    """Make a budget, which holds from now on."""
    fields = parse_model(BudgetFields, read_admin_json())
    wanted = NewBudget(**dict(fields))
    report = context.services().budgets.create(
        wanted, context.principal(), actor_here()
    )
    reply = data_reply(_shown(report), {}, 201)
    reply.headers["Location"] = f"/api/v1/budgets/{report.budget.id}"
    return reply


@blueprint.get("/budgets/<budget_id>")
@guarded(Scope.READ)
@documented(
    summary="Show one budget and how it stands.",
    replies={200: BudgetReply},
    errors=(NotFound,),
)
def get(budget_id: str) -> Response:
    """Return one budget of the caller's own; an admin's are all."""
    caller = context.principal()
    viewer = None if _is_admin(caller) else caller
    return data_reply(_shown(context.services().budgets.get(budget_id, viewer)), {})


@blueprint.patch("/budgets/<budget_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Change a budget; what was spent of it stays spent.",
    body={"application/json": BudgetChanges},
    replies={200: BudgetReply},
    errors=(NotFound, Conflict, PayloadTooLarge),
)
def change(budget_id: str) -> Response:
    """Change the kind, the limit or the alias of a budget."""
    fields = parse_model(BudgetChanges, read_admin_json())
    changes = cast(dict[Changeable, object], fields.model_dump(exclude_unset=True))
    report = context.services().budgets.update(
        budget_id, changes, context.principal(), actor_here()
    )
    return data_reply(_shown(report), {})


@blueprint.delete("/budgets/<budget_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Remove a budget.",
    replies={200: RemovedBudgetReply},
    errors=(NotFound,),
)
def remove(budget_id: str) -> Response:
    """Remove a budget; it holds nothing back any more."""
    context.services().budgets.remove(budget_id, context.principal(), actor_here())
    return data_reply({"id": budget_id}, {})


def _is_admin(caller: Principal) -> bool:
    return Scope.ADMIN in caller.scopes


def _shown(report: BudgetReport) -> dict[str, object]:
    return budget_data(report).model_dump(mode="json")


def budget_data(report: BudgetReport) -> BudgetData:
    """Return a budget and how it stands, as it is shown."""
    budget, standing = report.budget, report.standing
    return BudgetData(
        id=budget.id,
        subject=budget.subject,
        period=budget.period,
        kind=budget.kind,
        limit_nanos=budget.limit_nanos,
        limit=dollars_of(budget.limit_nanos),
        on_exhausted=budget.on_exhausted,
        spent_nanos=report.settled_nanos,
        spent=dollars_of(report.settled_nanos),
        reserved_nanos=standing.reserved_nanos,
        reserved=dollars_of(standing.reserved_nanos),
        remaining_nanos=report.remaining_nanos,
        remaining=dollars_of(report.remaining_nanos),
        period_start=standing.period_start.isoformat(),
        resets_at=report.resets_at,
        created_at=budget.created_at,
        created_by=budget.created_by,
    )
