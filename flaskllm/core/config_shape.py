"""What may stand where in the configuration, read off the settings' own types.

A shape is what a field's type says once `None` and constraints are taken off:
a model is a section with known names, a dict one with free names, a tuple of
models a list of sections, and everything else a value. None means nowhere.
"""

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

# Python has no one type for "a type annotation".
Shape = object


def shape_at(root: Shape, path: Iterable[str | int]) -> Shape:
    """Return the shape at the end of `path`, or None when nothing may stand there."""
    shape = root
    for key in path:
        shape = step(shape, key)
    return shape


def step(shape: Shape, key: str | int) -> Shape:
    """Return the shape below `shape` under `key`, or None."""
    model = as_model(shape)
    if model:
        field = model.model_fields.get(str(key))
        return bare(field.annotation) if field else None
    if get_origin(shape) is dict:
        return bare(get_args(shape)[1])
    return item_of(shape) if str(key).isdecimal() else None


def bare(annotation: object) -> Shape:
    """Return the annotation without its constraints and without `None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    kinds = [each for each in get_args(annotation) if each is not type(None)]
    return bare(kinds[0])


def as_model(shape: Shape) -> type[BaseModel] | None:
    """Return the model that a section with known names is, or None."""
    known = isinstance(shape, type) and issubclass(shape, BaseModel)
    return shape if known else None  # type: ignore[return-value]


def item_of(shape: Shape) -> Shape:
    """Return the shape of a list's items, or None when it is no list."""
    return bare(get_args(shape)[0]) if get_origin(shape) is tuple else None


def is_named(shape: Shape) -> bool:
    """Tell whether it is a section whose names the operator chooses."""
    return get_origin(shape) is dict


def is_list_of_sections(shape: Shape) -> bool:
    """Tell whether it is a list whose items are sections."""
    return as_model(item_of(shape)) is not None


def is_value(shape: Shape) -> bool:
    """Tell whether a value may stand here: a scalar or a list of scalars."""
    section = as_model(shape) or is_named(shape) or is_list_of_sections(shape)
    return shape is not None and not section


def is_secret(shape: Shape) -> bool:
    """Tell whether the value must never be shown."""
    return shape is SecretStr


def field_names(shape: Shape) -> tuple[str, ...]:
    """Return the names that a section knows; empty when they are free."""
    model = as_model(shape)
    return tuple(model.model_fields) if model else ()


def settings_of(
    model: type[BaseModel], prefix: str = ""
) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every value that can be set, with its dotted path, in reading order.

    A free name reads `<name>` and a list's index `<n>`:
    `providers.<name>.kind`, `routes.<n>.alias`.
    """
    for name, field in model.model_fields.items():
        path, below = _unfold(f"{prefix}{name}", bare(field.annotation))
        if below:
            yield from settings_of(below, f"{path}.")
        else:
            yield path, field


def _unfold(path: str, shape: Shape) -> tuple[str, type[BaseModel] | None]:
    if is_named(shape):
        return f"{path}.<name>", as_model(bare(get_args(shape)[1]))
    if is_list_of_sections(shape):
        return f"{path}.<n>", as_model(item_of(shape))
    return path, as_model(shape)


def fill(section: dict[str, object], shape: Shape) -> dict[str, object]:
    """Return a tree in which an empty section is one, and an empty value is absent.

    YAML says None for both, as for a section whose every line is a comment.
    """
    return {
        key: _fill(each, step(shape, key))
        for key, each in section.items()
        if each is not None or not is_value(step(shape, key))
    }


def _fill(value: object, shape: Shape) -> object:
    if isinstance(value, dict):
        return fill(value, shape)
    if isinstance(value, list):
        return [_fill(each, step(shape, index)) for index, each in enumerate(value)]
    if value is not None or shape is None or is_value(shape):
        return value
    return [] if is_list_of_sections(shape) else {}


def leaves(value: object, path: str) -> Iterator[str]:
    """Yield the dotted path of every value in a plain tree of settings."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, tuple) and any(isinstance(each, dict) for each in value):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}.{index}")
    else:
        yield path
