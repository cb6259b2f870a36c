"""Variables, `.env` and the file become settings, or everything that is wrong."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from flaskllm.core.config_checks import check
from flaskllm.core.config_environ import (
    Environment,
    Expanded,
    expand_all,
    read_environment,
)
from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import (
    ConfigError,
    Problem,
    placed,
    problem_of,
    unknown_name,
)
from flaskllm.core.config_shape import fill, leaves
from flaskllm.core.config_usual import find_usual
from flaskllm.core.config_variables import FILE_VARIABLE, Draft, overlay
from flaskllm.core.config_yaml import read

DEFAULT_FILE = "flaskllm.yaml"
_RELATIVE_TO_FOLDER = ("data_dir", "log_file", "templates_dir")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and where they came from.

    `origins` has the dotted path of every value, defaults included; `file` is
    the YAML file, or None when there is none.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of a configuration: either settings or problems.

    `is_read` is false where the file could not be read as a whole, so that nothing
    is known of what it should say.
    """

    loaded: Loaded | None
    problems: tuple[Problem, ...]
    file: Path | None
    is_read: bool


def load(environ: Mapping[str, str], working_folder: Path) -> Loaded:
    """Return the settings that variables, `.env` and the file make together.

    Paths in them that are relative count from `working_folder`.

    Raises:
        ConfigError: Something is missing or wrong; it names all of it.
    """
    examined = examine(environ, working_folder)
    if examined.loaded is None:
        raise ConfigError(examined.problems)
    return examined.loaded


def examine(environ: Mapping[str, str], working_folder: Path) -> Examined:
    """Return the settings as `load` does, or all problems; it never raises."""
    environment, problems = read_environment(environ, working_folder)
    draft = Draft(problems=problems)
    file = _file(environment, working_folder)
    if file is not None:
        _read_file(draft, file, environment)
    find_usual(draft, environment)
    overlay(draft, environment)
    settings, problems = _validate(draft)
    loaded = None
    if settings is not None:
        loaded = _loaded(settings, draft, file, working_folder)
        problems += _check_templates_dir(loaded)
    is_read = "" not in draft.unread
    return Examined(None if problems else loaded, tuple(problems), file, is_read)


def _loaded(
    settings: Settings, draft: Draft, file: Path | None, folder: Path
) -> Loaded:
    origins = {
        path: draft.origins.get(path, "default")
        for path in leaves(settings.model_dump(), "")
    }
    return Loaded(_locate(settings, folder), MappingProxyType(origins), file)


def _file(environment: Environment, folder: Path) -> Path | None:
    named = environment.given(FILE_VARIABLE)
    if named is not None:
        return folder / named
    usual = folder / DEFAULT_FILE
    try:
        return usual if usual.exists() else None
    except OSError:  # nobody can tell: to read it tells why
        return usual


def _read_file(draft: Draft, file: Path, environment: Environment) -> None:
    parsed = read(file)
    draft.problems += parsed.problems
    draft.unread |= {problem.path for problem in parsed.problems}
    if parsed.problems and not parsed.values:
        draft.unread.add("")
    draft.origins |= {p: f"{file.name}:{line}" for p, line in parsed.lines.items()}

    def take(path: str, expanded: Expanded) -> None:
        origin = draft.origins[path]
        for found, allowed in expanded.faults:
            problem = Problem(path, found, allowed, origin=origin, check="references")
            draft.problems.append(problem)
            draft.unread.add(path)
        draft.hidden.add(path)
        names = ", ".join(f"${{{name}}}" for name in expanded.names)
        draft.origins[path] = f"{origin} through {names}" if names else origin

    expanded = expand_all(parsed.values, environment, take)
    draft.values.update(fill(expanded, Settings))


def _refuse_private_names(draft: Draft) -> None:
    # pydantic-settings takes such names for switches of its own (`_cli_parse_args`).
    for name in [name for name in draft.values if name.startswith("_")]:
        del draft.values[name]
        problem = unknown_name(name, name, Settings, Settings)
        draft.problems.append(placed(problem, draft.origins))


def _validate(draft: Draft) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, None where they are wrong, and every problem."""
    _refuse_private_names(draft)
    try:
        settings = Settings.model_validate(draft.values)
    except ValidationError as error:
        new = [*_faults(error, draft), *check(draft.values, draft.hidden)]
        told = [placed(each, draft.origins) for each in new if not _told(each, draft)]
        return None, [*draft.problems, *told]
    return settings, list(draft.problems)


def _faults(error: ValidationError, draft: Draft) -> Iterable[Problem]:
    """Yield what the types found."""
    for each in error.errors(include_url=False):
        if each["loc"]:  # the model's own check has no place: it is run apart
            yield problem_of(each, Settings, draft.hidden)


def _told(problem: Problem, draft: Draft) -> bool:
    """Tell whether it only follows from a value that could not be read."""
    return any(
        path == "" or f"{problem.path}.".startswith(f"{path}.") for path in draft.unread
    )


def _locate(settings: Settings, folder: Path) -> Settings:
    given = {name: getattr(settings, name) for name in _RELATIVE_TO_FOLDER}
    update = {name: folder / path for name, path in given.items() if path is not None}
    return settings.model_copy(update=update)


def _check_templates_dir(loaded: Loaded) -> list[Problem]:
    path, name = loaded.settings.templates_dir, "templates_dir"
    # Unlike `Path.is_dir` it takes a disk's error for a folder that is not there.
    if path is None or os.path.isdir(path):
        return []
    allowed = "a folder that this process may read"
    problem = Problem(name, "no folder", allowed, check="templates")
    return [placed(problem, loaded.origins)]
