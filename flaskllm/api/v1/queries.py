"""What the query of a request says, and what it must not say."""

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict

from flaskllm.api.validation import parse_model, shorten
from flaskllm.core.errors import InvalidInputError

Query = TypeVar("Query", bound=BaseModel)


class QueryFields(BaseModel):
    """What a query may say: these, and nothing else."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


def read_query(model: type[Query]) -> Query:
    """Return what the query of this request says, each parameter once.

    Raises:
        InvalidInputError: A parameter is not known, comes twice, or says what is not
            allowed.
    """
    known = model.model_fields
    for name, values in request.args.lists():
        if name not in known:
            raise InvalidInputError.of(shorten(name), "is not known", ", ".join(known))
        if len(values) > 1:
            raise InvalidInputError.of(name, f"is given {len(values)} times", "once")
    return parse_model(model, request.args.to_dict())
