"""Prompt templates: one Markdown file each, front matter first, then the text.

A template's text has two sections, `# System` and `# User`. Substitution is
plain and named: `{{language}}` stands for the variable of that name, and
nothing else is understood, so there is no code in a template. `{{source}}`
stands for untrusted text, which is put between delimiters that are drawn anew
for every request and do not occur in the text itself.

::

    ---
    name: keywords
    version: 1
    type: keywords
    purpose: The words and phrases that a text is about.
    response_schema: keywords
    tokens_kept_free: 800
    variables:
      language: {limit_characters: 40, required: true, description: ...}
    ---
    # System
    ...
    # User
    {{source}}
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.delimiters import enclose, fresh_delimiter
from flaskllm.llm.front_matter import (
    FrontMatter,
    TemplateError,
    Variable,
    read_front,
)
from flaskllm.llm.parts import Message

__all__ = [
    "FrontMatter",
    "Library",
    "Template",
    "TemplateError",
    "Variable",
    "fresh_delimiter",
    "load_library",
    "parse_template",
]

_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
# Whatever looks like one must be one: `{{ source }}` would reach the model as it is.
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FILE = re.compile(
    r"\A---\n(?P<front>.*?)\n---\n# System\n(?P<system>.*?)\n# User\n(?P<user>.*)\Z",
    re.DOTALL,
)
_SOURCE = "source"
# The one kind of prompt that is not about a source but about an answer.
_WITHOUT_SOURCE = "repair"


@dataclass(frozen=True, slots=True)
class Template:
    """One prompt: what it is for, what it takes, and its two texts.

    `sha256` is over the whole file, so that a changed text with an unchanged
    version is noticed. `tokens_kept_free` is the room for the answer.
    """

    front: FrontMatter
    system: str
    user: str
    sha256: str

    def render(
        self,
        variables: Mapping[str, str],
        source: str,
        delimiter: str | None = None,
    ) -> tuple[Message, ...]:
        """Return the messages for one request.

        Args:
            variables: The values by name; strings, trusted as the caller is.
            source: Untrusted text; it stands between fresh delimiters only.
            delimiter: One of `fresh_delimiter` for this source and this request;
                drawn here when omitted.

        Raises:
            InvalidInputError: A variable is missing, too long or unknown. The
                same request cannot succeed later.
        """
        enclosed = enclose(source, delimiter or fresh_delimiter(source))
        values = {**self._checked(variables), _SOURCE: enclosed}
        return (
            Message("system", _substitute(self.system, values)),
            Message("user", _substitute(self.user, values)),
        )

    def _checked(self, given: Mapping[str, str]) -> dict[str, str]:
        for name in given:
            if name not in self.front.variables:
                allowed = ", ".join(sorted(self.front.variables)) or "none"
                raise InvalidInputError.of(f"variables.{name}", "is unknown", allowed)
        return {
            name: _check(name, variable, given.get(name, ""))
            for name, variable in self.front.variables.items()
        }


@dataclass(frozen=True, slots=True)
class Library:
    """All templates by name."""

    templates: Mapping[str, Template]

    def get(self, name: str) -> Template:
        """Return the template of this name.

        Raises:
            InvalidInputError: There is none; the names that exist are given.
        """
        if name not in self.templates:
            allowed = ", ".join(sorted(self.templates))
            raise InvalidInputError.of("template", f"{name!r} is unknown", allowed)
        return self.templates[name]


def load_library(operator_folder: Path | None = None) -> Library:
    """Read the built-in templates; those of the operator's folder override them.

    Raises:
        TemplateError: A file is not a template, its folder is missing, or an
            overriding one cannot take the place of ours.
    """
    if operator_folder is None:
        return Library(_built_in())
    if not operator_folder.is_dir():
        raise TemplateError(f"templates_dir: {operator_folder} is no folder")
    templates, own = _built_in(), _read_folder(operator_folder)
    for name in templates.keys() & own.keys():
        _check_override(templates[name].front, own[name].front)
    return Library({**templates, **own})


def parse_template(text: str, file_name: str) -> Template:
    """Read one template file.

    Raises:
        TemplateError: The front matter or the sections are not as they must be,
            the text uses a name that the front matter does not declare, or it
            leaves out the source.
    """
    match = _FILE.match(text)
    if match is None:
        raise TemplateError(
            f"{file_name}: a template is `---`, front matter, `---`, `# System`, "
            "its text, `# User`, its text"
        )
    front = read_front(match["front"], file_name)
    system, user = match["system"].strip(), match["user"].strip()
    _check_names(front, system, user, file_name)
    return Template(front, system, user, hashlib.sha256(text.encode()).hexdigest())


@cache  # files of this program stay as they are while it runs
def _built_in() -> dict[str, Template]:
    return _read_folder(resources.files("flaskllm.llm") / "templates")


def _read_folder(folder: Traversable) -> dict[str, Template]:
    files = (entry for entry in folder.iterdir() if entry.name.endswith(".md"))
    read: dict[str, Template] = {}
    origins: dict[str, str] = {}
    for file in sorted(files, key=lambda each: each.name):
        template = parse_template(_read_text(file), file.name)
        name = template.front.name
        if name in read:
            raise TemplateError(
                f"{file.name}: {origins[name]} has the name {name!r} already; "
                "choose another one"
            )
        read[name], origins[name] = template, file.name
    return read


def _read_text(file: Traversable) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        why = f"no UTF-8 at byte {error.start}; save it as UTF-8"
        raise TemplateError(f"{file.name}: {why}") from error
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
        raise TemplateError(f"{file.name}: {why}") from error


def _check_override(ours: FrontMatter, theirs: FrontMatter) -> None:
    # The gateway fills our required variables and reads our kind of answer.
    required = {name for name, each in ours.variables.items() if each.required}
    missing = required - theirs.variables.keys()
    if missing:
        names = ", ".join(sorted(missing))
        raise TemplateError(f"{theirs.name}: declare the variables {names} too")
    if (ours.type, ours.response_schema) != (theirs.type, theirs.response_schema):
        raise TemplateError(
            f"{theirs.name}: keep type {ours.type!r} and response_schema "
            f"{ours.response_schema!r}, or choose another name"
        )


def _check_names(front: FrontMatter, system: str, user: str, file_name: str) -> None:
    # Untrusted text must never stand where a model takes its orders from.
    if _SOURCE in _names((system,)):
        raise TemplateError(f"{file_name}: {{{{source}}}} belongs under `# User`")
    if front.type != _WITHOUT_SOURCE and _SOURCE not in _names((user,)):
        raise TemplateError(f"{file_name}: put {{{{source}}}} under `# User`")
    unknown = _names((system, user)) - front.variables.keys() - {_SOURCE}
    if unknown:
        raise TemplateError(f"{file_name}: undeclared: {', '.join(sorted(unknown))}")


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _BRACES.findall(text)}


def _check(name: str, variable: Variable, value: str) -> str:
    path = f"variables.{name}"
    if not value and variable.required:
        raise InvalidInputError.of(path, "is missing", variable.description)
    if len(value) > variable.limit_characters:
        limit = f"at most {variable.limit_characters} characters"
        raise InvalidInputError.of(path, f"has {len(value)} characters", limit)
    return value or variable.default


def _substitute(text: str, values: Mapping[str, str]) -> str:
    # One pass: a value that looks like a placeholder stays what it is.
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)
