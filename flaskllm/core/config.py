"""The settings, and the one place where the environment is read.

Four sources, the later over the earlier: defaults, one YAML file, the `.env` of
the working folder, the variables of the process. Every value remembers where it
came from. Whatever is wrong is told at once, in a `ConfigError`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from flaskllm.core.config_checks import OFFLINE, check
from flaskllm.core.config_environ import (
    DOTENV,
    Environment,
    Expanded,
    expand_all,
    read_environment,
)
from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import (
    ConfigError,
    Problem,
    problem_of,
    unknown_name,
)
from flaskllm.core.config_sections import (
    DeploymentSettings,
    LimitSettings,
    ProviderSettings,
    RouteSettings,
    ServerSettings,
    StreamTimeouts,
    TimeoutSettings,
)
from flaskllm.core.config_shape import fill, leaves
from flaskllm.core.config_usual import find_usual
from flaskllm.core.config_variables import FILE_VARIABLE, Draft, overlay
from flaskllm.core.config_watch import ConfigWatch
from flaskllm.core.config_yaml import read
from flaskllm.core.proxies import CA_BUNDLES, Proxies, ca_bundle_of, proxies_of

__all__ = [
    "CA_BUNDLES",
    "OFFLINE",
    "ConfigError",
    "ConfigWatch",
    "DeploymentSettings",
    "LimitSettings",
    "Loaded",
    "Problem",
    "ProviderSettings",
    "Proxies",
    "RouteSettings",
    "ServerSettings",
    "Settings",
    "StreamTimeouts",
    "TimeoutSettings",
    "load",
    "load_from_process",
    "process_environment",
    "read_ca_bundle",
    "read_proxies",
    "watch_process",
]

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


def load(environ: Mapping[str, str], working_folder: Path) -> Loaded:
    """Return the settings that variables, `.env` and the file make together.

    Paths in them that are relative count from `working_folder`.

    Raises:
        ConfigError: Something is missing or wrong; it names all of it.
    """
    environment, problems = read_environment(environ, working_folder)
    draft = Draft(problems=problems)
    file = _file(environment, working_folder)
    if file is not None:
        _read_file(draft, file, environment)
    find_usual(draft, environment)
    overlay(draft, environment)
    settings = _validate(draft)
    origins = {
        path: draft.origins.get(path, "default")
        for path in leaves(settings.model_dump(), "")
    }
    located = _locate(settings, working_folder)
    _check_templates_dir(located, origins)
    return Loaded(located, MappingProxyType(origins), file)


def load_from_process() -> Loaded:
    """Return `load` of this process: its environment and its working folder.

    Raises:
        ConfigError: Something is missing or wrong; it names all of it.
    """
    return load(os.environ, Path.cwd())


def process_environment() -> dict[str, str]:
    """Return a copy of this process's variables, to hand to one that it starts."""
    return dict(os.environ)


def watch_process(
    loaded: Loaded, on_rejected: Callable[[ConfigError], None]
) -> ConfigWatch[Loaded]:
    """Return what looks after the files that `load_from_process` has read.

    `on_rejected` hears once of each content that cannot be used.
    """
    folder = Path.cwd()
    file = loaded.file or folder / DEFAULT_FILE
    environ = process_environment()
    return ConfigWatch(
        paths=(file, folder / DOTENV),
        load=lambda: load(environ, folder),
        on_rejected=on_rejected,
    )


def read_proxies(environ: Mapping[str, str] | None = None) -> Proxies:
    """Return the proxies of the environment; None means this process with `.env`."""
    return proxies_of(_process() if environ is None else environ)


def read_ca_bundle(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the file of trusted certificates that the environment names, or None.

    `REQUESTS_CA_BUNDLE` goes before `SSL_CERT_FILE`, that before
    `CURL_CA_BUNDLE`. No environment means this process with `.env`.
    """
    return ca_bundle_of(_process() if environ is None else environ)


def _process() -> Mapping[str, str]:
    environment, _ = read_environment(os.environ, Path.cwd())
    return environment.values


def _file(environment: Environment, folder: Path) -> Path | None:
    named = environment.given(FILE_VARIABLE)
    if named is not None:
        return folder / named
    usual = folder / DEFAULT_FILE
    return usual if usual.exists() else None


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
            draft.problems.append(Problem(path, found, allowed, origin=origin))
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
        draft.problems.append(_placed(problem, draft))


def _validate(draft: Draft) -> Settings:
    """Return the settings, or raise every problem of the draft together."""
    _refuse_private_names(draft)
    problems = list(draft.problems)
    try:
        settings = Settings.model_validate(draft.values)
    except ValidationError as error:
        found = [
            problem_of(each, Settings, draft.hidden)
            for each in error.errors(include_url=False)
            if each["loc"]  # the model's own check has no place: it is run below
        ]
        new = [*found, *check(draft.values, draft.hidden)]
        problems += [_placed(each, draft) for each in new if not _told(each, draft)]
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return settings


def _told(problem: Problem, draft: Draft) -> bool:
    """Tell whether it only follows from a value that could not be read."""
    return any(
        path == "" or f"{problem.path}.".startswith(f"{path}.") for path in draft.unread
    )


def _placed(problem: Problem, draft: Draft) -> Problem:
    """Return the problem with the place of its value, or of the section around it."""
    path = problem.path
    while path and path not in draft.origins:
        path = path.rpartition(".")[0]
    origin = draft.origins.get(path, "")
    return Problem(
        problem.path, problem.found, problem.allowed, problem.nearest, origin
    )


def _locate(settings: Settings, folder: Path) -> Settings:
    given = {name: getattr(settings, name) for name in _RELATIVE_TO_FOLDER}
    update = {name: folder / path for name, path in given.items() if path is not None}
    return settings.model_copy(update=update)


def _check_templates_dir(settings: Settings, origins: Mapping[str, str]) -> None:
    path, name = settings.templates_dir, "templates_dir"
    if path is not None and not path.is_dir():
        allowed = "a folder that this process may read"
        raise ConfigError([Problem(name, "no folder", allowed, origin=origins[name])])
