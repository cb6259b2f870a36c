"""What is on record of a request that stays local, and what if it cannot be."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from stream_scene import stream_scene

from flaskllm.core.errors import LLMUnavailable, ServiceUnavailable
from flaskllm.core.sensitive import LOCAL, Rules
from flaskllm.llm.confined import Confined
from flaskllm.llm.parts import Message
from flaskllm.llm.types import CompletionRequest
from flaskllm.services.confining import Confining

CARD = CompletionRequest("fast", (Message("user", "4111 1111 1111 1111"),))
ANSWER = SimpleNamespace(deployment=SimpleNamespace(name="near"))
FOUND = {"payment_card": 1}
WHOLE = [b"text:On \n", b"text:Friday.\n", b"finish:stop\nusage:12,5\n", b"done\n"]


class SomeRouter:
    """Keeps sensitive text local, and answers or fails."""

    def __init__(self, said=ANSWER):
        self.said = said
        self.asked = []

    def is_confining(self, request, call):
        return True

    def complete(self, request, call):
        self.asked.append(request)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def ask(router, request=CARD, confined=None, rules=None):
    told = []
    call = SimpleNamespace(confined=confined or told.append)
    confining = Confining(router, rules or Rules())
    return confining.around(router.complete)(request, call), told


def test_a_match_is_asked_with_the_tag_and_told_with_who_answered():
    router = SomeRouter()

    answer, told = ask(router)

    assert answer is ANSWER
    assert router.asked == [replace(CARD, required_tag=LOCAL)]
    assert told == [Confined(FOUND, ("near",), "OK", "request")]


def test_what_has_its_tag_already_is_told_by_whoever_gave_it():
    router, request = SomeRouter(), replace(CARD, required_tag=LOCAL)

    _, told = ask(router, request)

    assert (router.asked, told) == ([request], [])


def test_a_failure_is_told_with_its_code_and_raised():
    told = []

    with pytest.raises(LLMUnavailable):
        ask(SomeRouter(LLMUnavailable()), confined=told.append)

    assert told == [Confined(FOUND, (), LLMUnavailable.code)]


def refuse(confined):
    raise ServiceUnavailable(details="The database is away.")


def test_a_failure_that_cannot_be_told_is_raised_all_the_same():
    with pytest.raises(LLMUnavailable):
        ask(SomeRouter(LLMUnavailable()), confined=refuse)


def test_a_stream_that_cannot_be_put_on_record_is_closed():
    answer = stream_scene(a=[WHOLE]).stream()

    with pytest.raises(ServiceUnavailable):
        ask(SomeRouter(answer), confined=refuse)

    assert list(answer) == []
