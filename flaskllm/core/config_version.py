"""What tells one state of the settings from another, and what changed between two."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from flaskllm.core.config_model import Settings
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
)
_NOT_LIVE = ("timeouts.deadline_seconds",)

Tree = dict[str, object]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What was learned of a deployment holds for as long as its fingerprint does.

    Attributes:
        deployments: By the deployment's name: over its settings and its provider's.
        credentials: By the provider's name: over its address and credential.
    """

    deployments: Mapping[str, str]
    credentials: Mapping[str, str]


def version_of(settings: Settings) -> str:
    """Return 12 hexadecimal digits that change with any of the settings.

    The credentials count too. Since the digits are shown and the rest may be
    known, a short credential could be guessed from them; so each guess is made as
    dear as this is: some hundredths of a second and 16 MiB (scrypt, RFC 7914).
    """
    text = _text(settings.model_dump(mode="python"))
    digest = hashlib.scrypt(text, salt=_SALT, n=2**14, r=8, p=1, dklen=_VERSION_BYTES)
    return digest.hex()


def fingerprints_of(settings: Settings) -> Fingerprints:
    """Return the fingerprints of all deployments and credentials.

    They are made of credentials without any brake: keep them in memory.
    """
    providers = {
        name: provider.model_dump() for name, provider in settings.providers.items()
    }
    deployments = {
        name: [deployment.model_dump(), providers[deployment.provider]]
        for name, deployment in settings.deployments.items()
    }
    credentials = {
        name: [provider["kind"], provider["base_url"], provider["api_key"]]
        for name, provider in providers.items()
    }
    return Fingerprints(
        {name: _digest(each) for name, each in deployments.items()},
        {name: _digest(each) for name, each in credentials.items()},
    )


def waiting_for_restart(started_with: Settings, now: Settings) -> tuple[str, ...]:
    """Return the dotted paths, sorted, of what changed but is read at a start only."""
    before, after = dict(_restarting(started_with)), dict(_restarting(now))
    paths = sorted(before.keys() | after.keys())
    return tuple(path for path in paths if before.get(path) != after.get(path))


def _restarting(settings: Settings) -> Iterator[tuple[str, object]]:
    tree = settings.model_dump()
    for path in leaves(tree, ""):
        is_live = path.partition(".")[0] in _LIVE and path not in _NOT_LIVE
        if not is_live:
            yield path, _at(tree, path)


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
