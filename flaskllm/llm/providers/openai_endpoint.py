"""Where the endpoints of OpenAI's dialect are, and how one signs in there."""

from dataclasses import dataclass, field
from typing import Protocol

JSON = "application/json"
EVENTS = "text/event-stream"


class Endpoint(Protocol):
    """One base URL and credential."""

    def url(self, path: str, model: str) -> str:
        """Return the address of a path such as `chat/completions` for a model."""
        ...

    def credentials(self) -> dict[str, str]:
        """Return the headers that sign in; none where no credential is needed."""
        ...


@dataclass(frozen=True, slots=True)
class BearerEndpoint:
    """The usual one: the path below the base URL, the credential as a bearer."""

    base_url: str
    api_key: str | None = field(repr=False)

    def url(self, path: str, model: str) -> str:
        """Return the address; the model stands in the body alone."""
        return f"{self.base_url}/{path}"

    def credentials(self) -> dict[str, str]:
        """Return `authorization`."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
