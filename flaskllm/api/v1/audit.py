"""`/api/v1/audit`: who changed what, when, from where."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.paging import NO_NUL, PageFields, PageMeta, cut
from flaskllm.api.v1.queries import read_query
from flaskllm.core.auth import Scope
from flaskllm.services.audit import AuditEntry, WantedRows

blueprint = Blueprint("audit", __name__)

Action = Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL)]
Thing = Annotated[str, Field(min_length=1, max_length=400, pattern=NO_NUL)]
Who = Annotated[str, Field(min_length=1, max_length=60, pattern=NO_NUL)]


class AuditFields(PageFields):
    """Which changes."""

    action: Action | None = Field(
        None, description="How the action begins: `token.` or `token.revoke`."
    )
    object: Thing | None = Field(
        None, description="What was changed, such as the id of an API token."
    )
    principal: Who | None = Field(
        None, description="Who changed it: the id of a principal, or `cli:USER`."
    )


class AuditData(BaseModel):
    """One change."""

    id: str
    at: datetime
    principal: str = Field(description="Who: a principal's id, or `cli:USER`.")
    action: str
    object: str = Field(description="What was changed.")
    details: dict[str, Any] = Field(description="The fields; never a secret.")
    peer: str = Field(description="The address; empty for the command line.")
    request_id: str = Field(description="Empty for the command line.")


class AuditReply(BaseModel):
    """A page of changes, the latest first."""

    data: list[AuditData]
    meta: PageMeta


@blueprint.get("/audit")
@guarded(Scope.ADMIN)
@documented(
    summary="List who changed what, the latest first.",
    query=AuditFields,
    replies={200: AuditReply},
)
def list_page() -> Response:
    """Return a page of the audit."""
    fields = read_query(AuditFields)
    wanted = WantedRows(
        fields.action or "", fields.object or "", fields.principal or ""
    )
    found = context.services().audit.page(fields.most + 1, wanted, fields.place)
    shown, following = cut(found, fields.most, AuditEntry.place)
    return data_reply(
        [audit_data(each).model_dump(mode="json") for each in shown],
        {"next": following},
    )


def audit_data(entry: AuditEntry) -> AuditData:
    """Return one change as it is shown."""
    return AuditData(
        id=entry.id,
        at=entry.at,
        principal=entry.principal_id,
        action=entry.action,
        object=entry.object_id,
        details=dict(entry.details),
        peer=entry.peer,
        request_id=entry.request_id,
    )
