"""The configuration as text: the example file, what is in force, and the schema."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from json import dumps

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from flaskllm.cli.config_samples import SAMPLES
from flaskllm.core.config import Loaded, Settings
from flaskllm.core.config_shape import as_model, bare, settings_of
from flaskllm.core.config_version import version_of

_WIDTH = 88
_PLAIN = re.compile(r"[A-Za-z./][\w./-]*")
# Of a shorter secret even four characters would tell too much.
_SHORTEST_WITH_END = 16
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NO_TEXT = ("integer", "number", "boolean")
_TELLING = ("title", "description", "default", "examples")
_HEAD = """\
# The configuration of flaskllm. Copy it to flaskllm.yaml and change what you need.
#
# A line that starts with # and no blank is a setting, at its default or with a
# sample. Every value can come from a variable too, which goes before this file:
# FLASKLLM_SERVER__PORT is the port of the section server. ${NAME} stands for a
# variable, ${NAME:-default} for one that may be missing, $${ for a literal ${.
"""


def example_text() -> str:
    """Return a commented file that names every setting once."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        below = as_model(bare(field.annotation))
        lines = _comment(field.description, "")
        if name in SAMPLES:
            lines += [*_meanings(name), SAMPLES[name].rstrip()]
        elif below:
            lines += [f"{name}:", *_section(below)]
        else:
            lines += [f"#{name}: {_scalar(_shown_value(field))}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def show_text(loaded: Loaded) -> str:
    """Return what is in force as YAML, each value followed by where it came from.

    A comment above tells the version, as a server that took them up does. Of a
    secret at most the last four characters are shown.
    """
    lines = _lines(loaded.settings.model_dump(), "", loaded.origins)
    return "\n".join([f"# version {version_of(loaded.settings)}", *lines]) + "\n"


def schema_text() -> str:
    """Return the JSON schema of the file, for editors that check while one types."""
    schema = {"$schema": _DIALECT, **Settings.model_json_schema()}
    return dumps(_with_references(schema), indent=2)


def mask(secret: str) -> str:
    """Return stars, and the last four characters of a secret that is long enough."""
    return "****" + (secret[-4:] if len(secret) >= _SHORTEST_WITH_END else "")


def _with_references(node: object) -> object:
    """Return a schema in which `${NAME}` may stand for a number, true or false."""
    if isinstance(node, list):
        return [_with_references(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") not in _NO_TEXT:
        return {key: _with_references(each) for key, each in node.items()}
    told = {key: each for key, each in node.items() if key in _TELLING}
    value = {key: each for key, each in node.items() if key not in _TELLING}
    return {**told, "anyOf": [value, {"type": "string", "pattern": r"\$\{"}]}


def _section(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _comment(field.description, "  ")
        yield f"  #{name}: {_scalar(_shown_value(field))}"


def _meanings(name: str) -> Iterator[str]:
    """Yield a comment for each setting of a section that is shown by a sample."""
    for path, field in settings_of(Settings):
        section, _, rest = path.partition(".")
        if section == name and rest:
            key = rest.removeprefix("<name>.").removeprefix("<n>.")
            key = key.removesuffix(".<name>")
            yield from _comment(f"{key}: {field.description}", "", hanging="    ")


def _comment(text: str | None, indent: str, hanging: str = "") -> list[str]:
    start = f"{indent}# " + hanging[:2]
    rest = f"{indent}# {hanging}"
    return textwrap.wrap(
        text or "",
        _WIDTH,
        initial_indent=start,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


def _shown_value(field: FieldInfo) -> object:
    return field.examples[0] if field.examples else field.default


def _lines(value: object, path: str, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a section or of a list of sections."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _entry(key, each, f"{path}.{key}" if path else key, origins)
        return
    assert isinstance(value, tuple)  # the only other thing that is no value
    for index, each in enumerate(value):
        first, *rest = _lines(each, f"{path}.{index}", origins)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)


def _entry(
    key: str, value: object, path: str, origins: Mapping[str, str]
) -> Iterator[str]:
    if path in origins:
        yield f"{_scalar(key)}: {_scalar(value)}  # {origins[path]}"
        return
    yield f"{_scalar(key)}:"
    yield from (f"  {line}" for line in _lines(value, path, origins))


def _scalar(value: object) -> str:
    """Return one value, or a list of them, as YAML on one line."""
    if isinstance(value, SecretStr):
        return _scalar(mask(value.get_secret_value()))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    if value is None or isinstance(value, bool | int | float | dict):
        return dumps(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    quoted = yaml.safe_dump(text, default_style='"', width=10**9, allow_unicode=True)
    return str(quoted).strip()
