"""What a request asks for beyond words, and which deployments are known to lack it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from flaskllm.core.errors import Field, InvalidInputError, NoModelConfigured
from flaskllm.llm.parts import Image, ToolResult
from flaskllm.llm.types import CompletionRequest, Deployment, Wire


class Dialects(Protocol):
    """Tells what a deployment's dialect can say."""

    def wires(self, deployment: Deployment) -> frozenset[Wire]:
        """Return the callers' dialects that it speaks too."""
        ...

    def fetches_images(self, deployment: Deployment) -> bool:
        """Tell whether an image may be given by its address."""
        ...


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that not every deployment can do.

    `path` is the caller's field that asks for it; `problem` says why that is in
    vain and `mend` what would be accepted. `is_met` tells whether a deployment
    that is asked for it can do it.
    """

    name: str
    path: str
    problem: str
    mend: str
    is_asked: Callable[[CompletionRequest], bool]
    is_met: Callable[[CompletionRequest, Deployment, Dialects], bool]

    def field(self, request: CompletionRequest) -> Field | None:
        """Return what the caller has to mend; None where we asked for it ourselves."""
        if self.name == "json" and request.json_format is None:
            return None
        return Field(self.path, self.problem, self.mend)


def has_images(request: CompletionRequest) -> bool:
    """Tell whether there is something to be seen."""
    return any(True for _ in _images(request))


def _names_images(request: CompletionRequest) -> bool:
    return any(image.data is None for image in _images(request))


def _images(request: CompletionRequest) -> Iterator[Image]:
    for message in request.messages:
        if isinstance(message.content, str):
            continue
        for part in message.content:
            shown = part.content if isinstance(part, ToolResult) else (part,)
            yield from (each for each in shown if isinstance(each, Image))


def _has_special_prompt(request: CompletionRequest) -> bool:
    """Tell whether a text to go on with is more than one text, or token numbers."""
    if request.body is None or request.body.wire != "openai.text":
        return False
    prompt = request.body.fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    return not isinstance(prompt, str)


def _listed(
    capability: str,
) -> Callable[[CompletionRequest, Deployment, Dialects], bool]:
    """Return what tells whether a deployment lists the capability.

    One without a list is believed to have them all.
    """

    def is_met(
        request: CompletionRequest, deployment: Deployment, dialects: Dialects
    ) -> bool:
        offered = deployment.capabilities
        return offered is None or capability in offered

    return is_met


def _is_shared(
    request: CompletionRequest, deployment: Deployment, dialects: Dialects
) -> bool:
    """Tell whether the deployment gets the caller's own words."""
    body = request.body
    return body is not None and body.wire in dialects.wires(deployment)


NEEDS: tuple[Need, ...] = (
    Need(
        "vision",
        "messages",
        "holds images, which this model cannot see",
        "text alone, or a model with the capability vision",
        has_images,
        _listed("vision"),
    ),
    Need(
        "images by address",
        "messages",
        "holds an image by its address, which this model's server does not fetch",
        "the image itself, as base64 data",
        _names_images,
        lambda request, deployment, dialects: dialects.fetches_images(deployment),
    ),
    Need(
        "tools",
        "tools",
        "this model cannot call tools",
        "no tools, or a model with the capability tools",
        lambda request: bool(request.tools),
        _listed("tools"),
    ),
    Need(
        "json",
        "response_format",
        "this model cannot answer in JSON",
        "text, or a model with the capability json",
        lambda request: bool(request.json_schema or request.json_format),
        _listed("json"),
    ),
    Need(
        "choices",
        "n",
        "this model gives one answer at a time",
        "1",
        lambda request: request.choices > 1,
        _is_shared,
    ),
    Need(
        "prompts",
        "prompt",
        "holds several texts or token numbers, and this model goes on with one text",
        "one text",
        _has_special_prompt,
        _is_shared,
    ),
)


def asked(request: CompletionRequest) -> tuple[Need, ...]:
    """Return what the request asks for beyond words."""
    return tuple(need for need in NEEDS if need.is_asked(request))


def cannot(needs: Sequence[Need], request: CompletionRequest) -> InvalidInputError:
    """Return the error that names each of the caller's fields and its mend."""
    fields = [field for need in needs if (field := need.field(request))]
    details = "; ".join(
        f"{field.path}: {field.problem}; allowed: {field.allowed}" for field in fields
    )
    return InvalidInputError(details=details, fields=fields)


def lacking(needs: Sequence[Need], alias: str) -> NoModelConfigured:
    """Return why deployments of the alias were left out."""
    names = ", ".join(repr(need.name) for need in needs)
    return NoModelConfigured(
        details=f"No deployment of {alias!r} that is left can do what this needs: "
        f"{names}. List the capability on a deployment that has it.",
    )
