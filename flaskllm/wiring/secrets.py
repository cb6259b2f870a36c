"""The secrets of the settings, in clear, for those who need them."""

from pydantic import SecretStr

from flaskllm.core.config import Settings
from flaskllm.core.redaction import Redactor
from flaskllm.core.secrets import KeyRing, WhenMissing
from flaskllm.storage.addresses import file_at, password_in


def build_key_ring(settings: Settings, redactor: Redactor | None = None) -> KeyRing:
    """Return the keys of the settings' master secrets, of which none is read yet."""
    return KeyRing(
        reveal(settings.secret),
        settings.data_dir,
        redactor,
        previous=reveal(settings.previous_secret),
        when_missing=_when_missing(reveal(settings.database_url)),
    )


def uses_data_dir(settings: Settings) -> bool:
    """Tell whether the data folder is needed, as for a database file."""
    return _when_missing(reveal(settings.database_url)) == "make_file"


def _when_missing(database_url: str | None) -> WhenMissing:
    """Return where a secret may be made: what lasts as long as the database does."""
    if database_url is None or file_at(database_url):
        return "make_file"
    return "make_in_memory" if database_url.startswith("sqlite") else "refuse"


def reveal(secret: SecretStr | None) -> str | None:
    """Return the secret itself, or None when there is none."""
    return secret.get_secret_value() if secret else None


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every secret of the settings, for the logs to mask."""
    own = (
        settings.secret,
        settings.previous_secret,
        settings.api_token,
        settings.server.metrics_token,
    )
    credentials = (provider.api_key for provider in settings.providers.values())
    of_senders = (
        secret
        for each in settings.inbound.values()
        for secret in (each.secret, each.password, each.api_key, each.callback_url)
    )
    all_of_them = (*own, *credentials, *of_senders)
    known = (secret.get_secret_value() for secret in all_of_them if secret)
    urls = (settings.database_url, settings.redis_url)
    passwords = (password_in(reveal(url) or "") for url in urls)
    return (*known, *filter(None, passwords))
