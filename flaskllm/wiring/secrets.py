"""The secrets of the settings, in clear, for those who need them."""

from pydantic import SecretStr

from flaskllm.core.config import Settings


def reveal(secret: SecretStr | None) -> str | None:
    """Return the secret itself, or None when there is none."""
    return secret.get_secret_value() if secret else None


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every secret of the settings, for the logs to mask."""
    own = (settings.secret, settings.api_token, settings.server.metrics_token)
    credentials = (provider.api_key for provider in settings.providers.values())
    return tuple(secret.get_secret_value() for secret in (*own, *credentials) if secret)
