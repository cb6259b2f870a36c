"""How responses are kept for their callers, and told again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flaskllm.api.openai.responses_items import Item
from flaskllm.api.openai.responses_object import Json
from flaskllm.api.openai.responses_order import ResponseOrder
from flaskllm.core.errors import Field, NotFound
from flaskllm.services.responses import KeptResponse, Responses


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the responses of one principal, within a request and after it.

    `kept_for` is for how long at most; None is as long as the settings say.
    """

    responses: Responses
    principal_id: str
    kept_for: timedelta | None = None

    def earlier(self, previous_id: str | None) -> Sequence[Item]:
        """Return the items of the conversation that a response ended.

        Raises:
            NotFound: There is no such response, or it is another principal's.
        """
        if previous_id is None:
            return ()
        try:
            return self.responses.conversation(previous_id, self.principal_id)
        except NotFound as error:
            field = Field("previous_response_id", "is not found", "a kept response")
            raise NotFound(
                error.message, details=error.details, fields=[field]
            ) from error

    def keep(
        self, order: ResponseOrder, response: Json, unkept: Sequence[Item] = ()
    ) -> Json:
        """Store a response unless its caller said no; tell whether it was stored.

        Args:
            order: What was asked.
            response: How it ended.
            unkept: The conversation before it, where that is stored nowhere.
        """
        if not order.given.stores:
            return response
        previous_id = None if unkept else order.given.previous_response_id
        kept = KeptResponse(
            id=response["id"],
            body=response,
            input_items=[*unkept, *order.input_items],
            previous_id=previous_id,
        )
        is_kept = self.responses.keep(kept, self.principal_id, self.kept_for)
        return {**response, "store": is_kept}


def page_of(
    items: Sequence[Item], *, after: str | None, limit: int, is_oldest_first: bool
) -> dict[str, Any]:
    """Return a list as OpenAI pages it.

    Args:
        items: All, the oldest first.
        after: The id of the last item of the page before.
        limit: How many at most.
        is_oldest_first: Their order.
    """
    ordered = list(items) if is_oldest_first else list(reversed(items))
    ids = [item["id"] for item in ordered]
    start = ids.index(after) + 1 if after in ids else 0
    shown = ordered[start : start + limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": start + limit < len(ordered),
    }
