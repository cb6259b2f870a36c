"""The settings, and the one place where the environment is read.

Four sources, the later over the earlier: defaults, one YAML file, the `.env` of
the working folder, the variables of the process. Every value remembers where it
came from. Whatever is wrong is told at once, in a `ConfigError`.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from flaskllm.core.config_checks import OFFLINE
from flaskllm.core.config_environ import DOTENV, read_environment
from flaskllm.core.config_loading import DEFAULT_FILE, Examined, Loaded, examine, load
from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import CheckName, ConfigError, Problem, placed
from flaskllm.core.config_routes import (
    DeploymentLimits,
    DeploymentSettings,
    PriceSettings,
    PriceTerms,
    PriceTier,
    ProviderSettings,
    RouteSettings,
)
from flaskllm.core.config_sections import (
    AccountingSettings,
    HealthSettings,
    LimitSettings,
    ServerSettings,
    StreamTimeouts,
    TimeoutSettings,
)
from flaskllm.core.config_watch import ConfigWatch
from flaskllm.core.proxies import CA_BUNDLES, Proxies, ca_bundle_of, proxies_of

__all__ = [
    "CA_BUNDLES",
    "OFFLINE",
    "AccountingSettings",
    "CheckName",
    "ConfigError",
    "ConfigWatch",
    "DeploymentLimits",
    "DeploymentSettings",
    "Examined",
    "HealthSettings",
    "LimitSettings",
    "Loaded",
    "PriceSettings",
    "PriceTerms",
    "PriceTier",
    "Problem",
    "ProviderSettings",
    "Proxies",
    "RouteSettings",
    "ServerSettings",
    "Settings",
    "StreamTimeouts",
    "TimeoutSettings",
    "examine_process",
    "load",
    "load_from_process",
    "placed",
    "process_environment",
    "read_ca_bundle",
    "read_proxies",
    "reload_mark",
    "tell_workers",
    "watch_process",
]

_RELOAD_MARK = "reload"
_WORKERS = "FLASKLLM_SERVER__WORKERS"
# More are not allowed as a setting, and all that matters is whether there are several.
_MOST_WORKERS = 64


def load_from_process() -> Loaded:
    """Return `load` of this process: its environment and its working folder.

    Raises:
        ConfigError: Something is missing or wrong; it names all of it.
    """
    return load(os.environ, Path.cwd())


def examine_process() -> Examined:
    """Return what comes of this process's configuration: settings or problems."""
    return examine(os.environ, Path.cwd())


def process_environment() -> dict[str, str]:
    """Return a copy of this process's variables, to hand to one that it starts."""
    return dict(os.environ)


def tell_workers(number: int) -> None:
    """Let this process, and those it forks, know how many workers there are.

    It goes over what the settings say: the server's command line does too.
    """
    os.environ[_WORKERS] = str(min(number, _MOST_WORKERS))


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
        mark=reload_mark(loaded.settings),
        needed=() if loaded.file is None else (loaded.file,),
    )


def reload_mark(settings: Settings) -> Path:
    """Return the file that tells every process with this data folder to reload."""
    return settings.data_dir / _RELOAD_MARK


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
