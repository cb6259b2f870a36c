"""What tells one state of the settings from another, and what changed between two."""

import hashlib
import json
from collections.abc import Iterator

from pydantic import SecretStr

from flaskllm.core.config_model import Settings
from flaskllm.core.config_routes import RouteSettings
from flaskllm.core.config_shape import leaves

_VERSION_BYTES = 6
_SALT = b"flaskllm/settings-version/1"
# What each question to a model looks up anew; the rest is read at the start only.
_LIVE = (
    "providers",
    "deployments",
    "routes",
    "default_route",
    "templates_dir",
    "timeouts",
    "health.probe_idle_seconds",
)
_NOT_LIVE = ("timeouts.deadline_seconds",)

Tree = dict[str, object]


def version_of(settings: Settings) -> str:
    """Return 12 hexadecimal digits that change with any of the settings.

    The credentials count too. Since the digits are shown and the rest may be
    known, a short credential could be guessed from them; so each guess is made as
    dear as this is: some hundredths of a second and 16 MiB (scrypt, RFC 7914).
    """
    text = _text(settings.model_dump(mode="python"))
    digest = hashlib.scrypt(text, salt=_SALT, n=2**14, r=8, p=1, dklen=_VERSION_BYTES)
    return digest.hex()


def fingerprints_of(settings: Settings) -> dict[str, str]:
    """Return for each deployment, by its name, a digest of it and of its provider.

    What was learned of a deployment holds for as long as its fingerprint does. They
    are made of credentials without any brake: keep them in memory.
    """
    providers = {
        name: provider.model_dump() for name, provider in settings.providers.items()
    }
    return {
        name: _digest([deployment.model_dump(), providers[deployment.provider]])
        for name, deployment in settings.deployments.items()
    }


def provider_fingerprints_of(settings: Settings) -> dict[str, str]:
    """Return for each provider, by its name, a digest of it; see `fingerprints_of`."""
    return {
        name: _digest(provider.model_dump())
        for name, provider in settings.providers.items()
    }


def answering_of(route: RouteSettings, settings: Settings) -> str:
    """Return a digest of who answers on a route, and of how they are asked.

    Credentials, prices, limits and time-outs do not count.
    """
    told = []
    for name in sorted(route.deployments):
        deployment = settings.deployments[name]
        provider = settings.providers[deployment.provider]
        told.append(
            [
                deployment.provider,
                provider.model_dump(exclude={"api_key", "models"}),
                deployment.model_dump(exclude={"price", "limits", "timeouts", "tags"}),
            ]
        )
    return _digest(told)


def waiting_for_restart(started_with: Settings, now: Settings) -> tuple[str, ...]:
    """Return the dotted paths, sorted, of what changed but is read at a start only."""
    before, after = dict(_restarting(started_with)), dict(_restarting(now))
    paths = sorted(before.keys() | after.keys())
    return tuple(path for path in paths if before.get(path) != after.get(path))


def read_at_start() -> str:
    """Return in words which settings are read at a start only, by their names."""
    whole = [name for name in Settings.model_fields if name not in _LIVE]
    partly = [path for path in _LIVE if path.partition(".")[0] in whole]
    kept = f" (but for {', '.join(partly)})" if partly else ""
    return f"{', '.join([*whole, *_NOT_LIVE])}{kept}"


def _restarting(settings: Settings) -> Iterator[tuple[str, object]]:
    tree = settings.model_dump()
    for path in leaves(tree, ""):
        if path in _NOT_LIVE or not _is_live(path):
            yield path, _at(tree, path)


def _is_live(path: str) -> bool:
    return any(f"{path}.".startswith(f"{live}.") for live in _LIVE)


def _at(tree: Tree, path: str) -> object:
    """Return the value at a path through sections; none of these leads into a list."""
    value: object = tree
    for key in path.split("."):
        assert isinstance(value, dict)
        value = value[key]
    return value


def _digest(value: object) -> str:
    return hashlib.sha256(_text(value)).hexdigest()


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, default=_plain).encode()


def _plain(value: object) -> str:
    """Return a secret in clear, and a path as text."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
