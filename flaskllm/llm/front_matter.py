"""What stands above the text of a prompt template, and what may be wrong there."""

from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class TemplateError(Exception):
    """A template file is wrong; the message names the file and the mend."""


class Variable(BaseModel):
    """What a caller may put into a template under this name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit_characters: Annotated[int, Field(gt=0, le=20_000)]
    required: bool = False
    default: str = ""
    description: str


class FrontMatter(BaseModel):
    """What stands above the text of a template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
    version: Annotated[int, Field(gt=0)]
    type: str
    purpose: str
    response_schema: str
    tokens_kept_free: Annotated[int, Field(gt=0)]
    variables: dict[Annotated[str, Field(pattern=r"^[a-z_]+$")], Variable] = {}


def read_front(text: str, file_name: str) -> FrontMatter:
    """Return the front matter of a template file.

    Raises:
        TemplateError: It is no YAML, or not what it must be.
    """
    try:
        return FrontMatter.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise TemplateError(f"{file_name}: front matter: {error}") from error
