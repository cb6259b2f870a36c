"""Azure OpenAI: OpenAI's dialect at other addresses.

Sources: https://learn.microsoft.com/azure/ai-services/openai/reference (classic: the
deployment stands in the path, and a version is demanded) and .../latest (v1: as
OpenAI, the deployment as `model`). Neither lists what can be called: their lists are
of base models, not of deployments.
"""

from dataclasses import dataclass, field, replace
from urllib.parse import quote

from flaskllm.llm.providers.addresses import check_base_url, check_credential
from flaskllm.llm.providers.compatible import DIALECTS, Dialect

KIND = "azure"

_DEFAULT_VERSION = "2024-10-21"
# Older versions answer 400 to `stream_options`.
_USAGE_SINCE = "2024-09-01"


@dataclass(frozen=True, slots=True)
class AzureEndpoint:
    """One resource. `api_version` None is for v1 only, which needs none."""

    base_url: str
    api_key: str | None = field(repr=False)
    api_version: str | None
    is_classic: bool

    def url(self, path: str, model: str) -> str:
        """Return the address; in the classic form it names the deployment."""
        if self.is_classic:
            path = f"openai/deployments/{quote(model, safe='')}/{path}"
        query = f"?api-version={self.api_version}" if self.api_version else ""
        return f"{self.base_url}/{path}{query}"

    def credentials(self) -> dict[str, str]:
        """Return `api-key`."""
        return {"api-key": self.api_key} if self.api_key else {}


def resolve_endpoint(
    base_url: str | None, api_key: str | None, api_version: str | None
) -> AzureEndpoint:
    """Return the endpoint of a resource.

    A base URL that ends in `/openai/v1` is of the v1 form; every other one is the
    resource, with or without `/openai`, in the classic form.

    Raises:
        ValueError: The address, the credential or the version cannot be used.
    """
    address = check_base_url(KIND, base_url)
    if api_version and quote(api_version, safe="") != api_version:
        raise ValueError("api_version holds a sign that no version has")
    is_classic = not address.endswith("/openai/v1")
    return AzureEndpoint(
        address.removesuffix("/openai") if is_classic else address,
        check_credential(KIND, api_key, needed=True),
        api_version or (_DEFAULT_VERSION if is_classic else None),
        is_classic,
    )


def resolve_dialect(endpoint: AzureEndpoint) -> Dialect:
    """Return OpenAI's row with what this version of the service knows."""
    version = endpoint.api_version
    asks_usage = version is None or not version[:1].isdigit() or version >= _USAGE_SINCE
    return replace(DIALECTS["openai"], asks_usage=asks_usage, lists_models=False)
