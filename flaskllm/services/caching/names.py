"""The names that the cache is cleared by: a wrong one clears nothing, and is told."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from flaskllm.core.auth import is_token_id
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.model_names import nearest, shown
from flaskllm.llm.prompts import Library
from flaskllm.services.keeping.erasing import WITHOUT_TOKENS
from flaskllm.storage.api_tokens import ApiTokens


@dataclass(frozen=True, slots=True)
class Names:
    """Knows routes and templates of the settings as they stand, and all API tokens."""

    catalog: Callable[[], Catalog]
    library: Callable[[], Library]
    tokens: ApiTokens

    def check_alias(self, name: str) -> None:
        """Return where a route is called so.

        Raises:
            InvalidInputError: None is; the nearest are given.
        """
        _check("alias", name, [route.name for route in self.catalog().routes])

    def check_template(self, name: str) -> None:
        """Return where a prompt template is called so.

        Raises:
            InvalidInputError: None is; the nearest are given.
        """
        _check("template", name, self.library().templates)

    def check_token(self, principal_id: str) -> None:
        """Return where an API token has this id, or had it until it was revoked.

        Raises:
            InvalidInputError: None has.
            ServiceUnavailable: The database does not work; a retry may help.
        """
        # No other text reaches the database.
        is_sane = is_token_id(principal_id)
        is_known = is_sane and self.tokens.find(principal_id) is not None
        if not is_known and principal_id not in WITHOUT_TOKENS:
            raise _unknown("token", principal_id, "the id of an API token")


def _check(field: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        told = ", ".join(nearest(name, known) or sorted(known))
        raise _unknown(field, name, told or "none is there")


def _unknown(field: str, name: str, allowed: str) -> InvalidInputError:
    return InvalidInputError.of(field, f"{shown(name)} is unknown", allowed)
