"""A rescue goes on with the request's own walk: its order, retries and deadline."""

import pytest
from rescue_scene import heard_from, seams_of, text_of
from stream_scene import REQUEST, Silence, stream_scene

from flaskllm.core.errors import LLMProtocolError, LLMTimeout, LLMUnavailable
from flaskllm.llm.catalog import Route
from flaskllm.llm.continuing import INSTRUCTION
from flaskllm.llm.retry import Policy
from flaskllm.llm.types import Deployment

CUT = [b"text:The launch is \n"]
OTHER = [b"text:We launch on Friday.\n", b"finish:stop\ndone\n"]
WHOLE = [b"text:The launch is on Friday.\n", b"finish:stop\ndone\n"]
TOLD = "The launch is on Friday."


def routes(rescue, *names):
    """Return a route to the first deployment whose fallbacks are the others."""
    first, *others = names
    return (
        Route("main", weights={first: 1}, fallbacks=tuple(others), rescue=rescue),
        *(Route(alias=name, weights={name: 1}) for name in others),
    )


def test_the_fallbacks_are_asked_in_their_order_until_one_fits():
    shown = stream_scene(a=[CUT], b=[OTHER], c=[WHOLE])

    answer = shown.stream()
    pieces, error = heard_from(answer)

    assert error is None
    assert text_of(pieces) == TOLD
    assert shown.codes == ["LLM_PROTOCOL_ERROR", "LLM_ANSWER_DIFFERS", "OK"]
    assert [each.deployment.name for each in shown.begun] == ["a", "b", "c"]
    assert answer.failures == ("LLM_PROTOCOL_ERROR", "LLM_ANSWER_DIFFERS")
    assert (answer.alias, answer.attempts) == ("c", 3)


def test_a_fallback_that_fails_before_its_first_token_is_passed_by():
    shown = stream_scene(a=[CUT], b=[503], c=[WHOLE])

    pieces, error = heard_from(shown.stream())

    assert error is None
    assert text_of(pieces) == TOLD


def test_one_that_was_cut_is_asked_again_where_nobody_else_is_left():
    shown = stream_scene(a=[CUT, WHOLE])

    pieces, error = heard_from(shown.stream())

    assert error is None
    assert text_of(pieces) == TOLD
    (seam,) = seams_of(pieces)
    assert (seam.from_deployment, seam.to_deployment) == ("a", "a")


def test_one_that_fell_silent_is_not_asked_again():
    shown = stream_scene(a=[[*CUT, Silence(60.0)], WHOLE])

    _, error = heard_from(shown.stream())

    assert isinstance(error, LLMTimeout)
    assert len(shown.begun) == 1


def test_one_that_breaks_at_the_same_place_again_is_left_for_the_next():
    shown = stream_scene(a=[CUT], b=[CUT], c=[WHOLE])

    pieces, error = heard_from(shown.stream())

    assert error is None
    assert text_of(pieces) == TOLD
    assert [each.to_deployment for each in seams_of(pieces)] == ["c"]


def test_one_that_was_repeated_already_is_not_asked_to_rescue_itself():
    shown = stream_scene(a=[503, CUT, CUT, CUT])

    _, error = heard_from(shown.stream())

    assert isinstance(error, LLMProtocolError)
    assert len(shown.begun) == 2


def test_one_that_broke_off_is_not_asked_again_where_there_was_another():
    shown = stream_scene(a=[CUT, WHOLE], b=[OTHER])

    _, error = heard_from(shown.stream())

    assert isinstance(error, LLMProtocolError)
    assert [each.deployment.name for each in shown.begun] == ["a", "b"]


def test_the_deadline_ends_a_rescue_with_the_first_failure():
    late = [Silence(25.0), LLMTimeout()]
    shown = stream_scene(a=[[*CUT, LLMUnavailable()], WHOLE], b=[late])
    answer = shown.stream()
    shown.clock.advance(280.0)

    _, error = heard_from(answer)

    assert isinstance(error, LLMUnavailable)
    assert shown.codes == ["LLM_UNAVAILABLE", "LLM_TIMEOUT"]


class TestContinue:
    def scene(self, **steps):
        return stream_scene(
            deployments=[Deployment(n, n, "vllm", f"m-{n}") for n in steps],
            routes=routes("continue", *steps),
            **steps,
        )

    def test_the_one_that_differs_is_asked_for_the_rest_at_once(self):
        rest = [b"text:on Friday.\n", b"finish:stop\ndone\n"]
        shown = self.scene(a=[CUT], b=[OTHER, rest])

        pieces, error = heard_from(shown.stream())

        assert error is None
        assert text_of(pieces) == TOLD
        assert seams_of(pieces)[0].mode == "continue"
        assert [each.deployment.name for each in shown.begun] == ["a", "b", "b"]
        assert shown.clock.slept == []

    def test_one_that_cannot_go_on_either_is_left_for_the_next(self):
        shown = self.scene(a=[CUT], b=[OTHER, CUT], c=[WHOLE])

        pieces, error = heard_from(shown.stream())

        assert error is None
        assert text_of(pieces) == TOLD
        assert seams_of(pieces)[0].mode == "match"
        assert [each.deployment.name for each in shown.begun] == ["a", "b", "b", "c"]


@pytest.mark.parametrize("rescue", ["match", "continue"])
def test_the_callers_own_messages_end_every_question_but_that_for_the_rest(rescue):
    policy = Policy(retries=1 if rescue == "continue" else 0)
    chain = routes(rescue, "a", "b")
    shown = stream_scene(policy=policy, routes=chain, a=[CUT], b=[OTHER, WHOLE])
    asked = []
    provider = shown.router._upstreams.providers["b"]
    encode = provider.encode
    provider.encode = lambda request, deployment: (
        asked.append(request.messages[-1].text) or encode(request, deployment)
    )

    heard_from(shown.stream())

    own = REQUEST.messages[-1].text
    rest = [INSTRUCTION] if rescue == "continue" else []
    assert asked[:2] == [own, own]
    assert asked[2:3] == rest
