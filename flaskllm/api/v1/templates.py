"""`GET /api/v1/templates`: the prompt templates that a caller may name."""

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.paging import Nothing
from flaskllm.core.auth import Scope

blueprint = Blueprint("templates", __name__)


class Variable(BaseModel):
    """A value that a template takes."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    required: bool
    limit_characters: int
    description: str


class Template(BaseModel):
    """A prompt template."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="What a request puts into `template`.")
    version: int
    type: str = Field(description="The digest type that may name it.")
    purpose: str
    response_schema: str
    tokens_kept_free: int = Field(description="Kept free for the answer.")
    variables: list[Variable]
    sha256: str = Field(description="SHA-256 of its file, in hexadecimal.")


class TemplatesReply(BaseModel):
    """All templates."""

    data: list[Template]
    meta: Nothing


@blueprint.get("/templates")
@guarded(Scope.WEBHOOK, Scope.CHAT, Scope.READ)
@documented(summary="List the prompt templates.", replies={200: TemplatesReply})
def list_all() -> Response:
    """Return every template with its variables, never its text."""
    templates = [
        Template.model_validate(info).model_dump()
        for info in context.services().templates.list()
    ]
    return data_reply(templates, {})
