"""One question to a model, and what is wrong with an answer to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flaskllm.llm.prompts import Template, fresh_delimiter
from flaskllm.llm.types import CompletionRequest, Extraction
from flaskllm.services.digests.shielding import NO_SHIELD, Shield

# No text of a prompt holds it.
_DELIMITER = "\0delimiter\0"


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with an answer that can be read.

    `problem` tells the model what to mend. With a `warning` the answer is good
    enough when the repair brings nothing better; without one it is not.
    """

    problem: str
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how an answer is read.

    `source` is untrusted; `is_json` says that it is lines of JSON. `object_to` looks
    at an answer of `answer_type`. What a model sees passes through `shield`, and what
    it says comes back through it. `varying` are words that differ each time, as in
    `CompletionRequest`.
    """

    template: Template
    variables: Mapping[str, str]
    source: str
    answer_type: type[BaseModel]
    object_to: Callable[[Any], tuple[Objection, ...]]
    json_schema: Mapping[str, Any]
    model: str | None = None
    extraction: Extraction | None = None
    tokens_for_answer: int | None = None
    is_json: bool = False
    shield: Shield = NO_SHIELD
    varying: tuple[tuple[str, str], ...] = ()

    def request(self) -> CompletionRequest:
        """Return the request for the first answer."""
        shield = self.shield
        source = shield.source(self.source, is_json=self.is_json)
        delimiter = fresh_delimiter(source)
        front = self.template.front
        request = CompletionRequest(
            model=self.model,
            messages=self.template.render(
                shield.variables(self.variables), source, delimiter
            ),
            max_output_tokens=self.tokens_for_answer or front.tokens_kept_free,
            json_schema=self.json_schema,
            extraction=self.extraction,
            template=f"{front.name}@{self.template.sha256}",
            # Equal questions are told apart by it alone.
            varying=((delimiter, _DELIMITER), *self.varying),
        )
        return shield.request(request)
