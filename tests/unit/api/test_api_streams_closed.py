"""An answer whose reply never comes about is hung up on, at every route."""

from dataclasses import dataclass

import pytest
from face_fakes import build
from model_fakes import CHAT, FakeStream, OpenAIServices

HELLO = [{"role": "user", "content": "Hello"}]
ROUTES = {
    "/v1/chat/completions": {"messages": HELLO, "stream": True},
    "/v1/completions": {"prompt": "Hello", "stream": True},
    "/v1/responses": {"input": "Hello", "stream": True},
    "/v1/messages": {"messages": HELLO, "max_tokens": 5, "stream": True},
}


@dataclass(frozen=True)
class Services(OpenAIServices):
    """Those of every face; nothing is kept before the end of a response."""

    responses: None = None


@pytest.mark.parametrize("path", ROUTES)
def test_an_answer_of_which_no_reply_can_be_made_is_closed(path):
    services = Services()
    # No name of a field, and so not to be told in a header.
    answer = FakeStream([b"a"], is_raw=True, dropped=(7,))
    services.completions.stream_answer = answer

    reply = build(services).test_client().post(path, json=ROUTES[path], headers=CHAT)

    assert (reply.status_code, answer.closed) == (500, 1)
