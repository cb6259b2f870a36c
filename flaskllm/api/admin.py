"""Bodies that administer the gateway: small, and read as strictly as can be."""

import json
from typing import Any

from flask import request

from flaskllm.api.validation import ADMIN_BODY_BYTES, read_json
from flaskllm.core.errors import InvalidInputError


def read_admin_json() -> dict[str, Any]:
    """Return the JSON object in the body of this request, see `read_json`.

    Raises:
        InvalidInputError: It cannot be read, or gives a key twice: of two that
            decide about the same thing neither may win unseen.
    """
    read = read_json(ADMIN_BODY_BYTES)
    json.loads(request.get_data(), object_pairs_hook=_check_unique)
    return read


def _check_unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidInputError(
            "The body is not valid JSON.", details="The body: a key is given twice."
        )
