"""Prompt templates, as callers see them."""

from collections.abc import Callable
from dataclasses import dataclass

from flaskllm.llm.prompts import Library, Template


@dataclass(frozen=True, slots=True)
class VariableInfo:
    """One value that a template takes."""

    name: str
    required: bool
    limit_characters: int
    description: str


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """One template: what it is for and what it takes.

    `type` is the digest type that may name it; `sha256` is over its file.
    """

    name: str
    version: int
    type: str
    purpose: str
    response_schema: str
    tokens_kept_free: int
    variables: tuple[VariableInfo, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Templates:
    """Lists templates. `library` gives them as they stand now."""

    library: Callable[[], Library]

    def list(self) -> tuple[TemplateInfo, ...]:
        """Return all templates by name."""
        templates = self.library().templates
        return tuple(_describe(templates[name]) for name in sorted(templates))


def _describe(template: Template) -> TemplateInfo:
    front = template.front
    variables = tuple(
        VariableInfo(
            name, variable.required, variable.limit_characters, variable.description
        )
        for name, variable in front.variables.items()
    )
    return TemplateInfo(
        name=front.name,
        version=front.version,
        type=front.type,
        purpose=front.purpose,
        response_schema=front.response_schema,
        tokens_kept_free=front.tokens_kept_free,
        variables=variables,
        sha256=template.sha256,
    )
