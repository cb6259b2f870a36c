"""Where no other deployment goes on, the first failure is told."""

import pytest
from rescue_scene import heard_from, rescue_scene, seams_of, text_of
from stream_scene import Silence

from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMContextTooLong,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRefused,
    LLMTimeout,
    LLMUnavailable,
)

END = b"finish:stop\nusage:12,9\ndone\n"
FIRST = [b"text:The launch \n", b"text:is on \n"]
WHOLE = [b"text:The launch is \n", b"text:on Friday\n", b"text: at noon.\n", END]
SHOWN = "The launch is on "
TOLD = "The launch is on Friday at noon."


class TestNoRescue:
    @pytest.mark.parametrize(
        "steps",
        [
            [*FIRST, b"tool:look\n", b"error\n"],
            [b"tool:look\n", b"error\n"],
        ],
        ids=["after text", "at once"],
    )
    def test_while_a_tool_is_called(self, steps):
        shown = rescue_scene(steps, WHOLE)

        _, error = heard_from(shown.answer)

        assert isinstance(error, LLMUnavailable)
        assert shown.walk.heard == []

    def test_where_the_route_says_off(self):
        shown = rescue_scene(FIRST, WHOLE, rescue="off")

        pieces, error = heard_from(shown.answer)

        assert isinstance(error, LLMProtocolError)
        assert None not in pieces
        assert shown.walk.heard == []

    @pytest.mark.parametrize("error", [CallerGone(), KeyError("x")], ids=repr)
    def test_when_it_was_no_deployment_that_failed(self, error):
        shown = rescue_scene([*FIRST, error], WHOLE)

        with pytest.raises(type(error)):
            list(shown.answer)

        assert shown.walk.heard == []

    @pytest.mark.parametrize("error", [LLMRefused(), LLMContextTooLong()], ids=repr)
    def test_where_the_same_request_would_fail_again(self, error):
        shown = rescue_scene([*FIRST, error], WHOLE)

        assert heard_from(shown.answer)[1] is error
        assert shown.walk.heard == []

    def test_after_the_deadline(self):
        shown = rescue_scene([*FIRST, LLMTimeout()], WHOLE)
        shown.clock.advance(300.0)

        assert isinstance(heard_from(shown.answer)[1], LLMTimeout)
        assert shown.walk.heard == []

    def test_after_a_finish_of_which_more_may_come(self):
        shown = rescue_scene([*FIRST, b"finish:stop\n", LLMUnavailable()], WHOLE)

        _, error = heard_from(shown.answer)

        assert error is None
        assert shown.codes == ["OK"]


FAILING = {
    "another answer": [b"text:Not on Friday.\n"],
    "a shorter answer": [b"text:The launch\n", END],
    "an end mark alone": [b"text:The launch\n", b"done\n"],
    "a status": LLMUnavailable(),
    "a call of a tool": [b"tool:look\n"],
    "cut before it has repeated all": [b"text:The launch\n"],
    "a stall before that": [b"text:The launch\n", Silence(60.0)],
    "a refusal": LLMRefused(),
    "a request it does not take": LLMInvalidRequest(),
}


class TestWhatCannotBeJoined:
    @pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
    def test_ends_with_the_first_failure(self, failing):
        shown = rescue_scene([*FIRST, LLMUnavailable()], failing)

        pieces, error = heard_from(shown.answer)

        assert error is shown.walk.heard[0]
        assert text_of(pieces) == SHOWN
        assert len(shown.codes) == 2
        assert all(stream.closed for stream in shown.walk.opened)

    @pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
    def test_the_next_is_asked_as_long_as_the_walk_goes_on(self, failing):
        shown = rescue_scene(FIRST, failing, WHOLE)

        pieces, error = heard_from(shown.answer)

        assert error is None
        assert text_of(pieces) == TOLD
        assert shown.answer.deployment.name == "c"
        assert seams_of(pieces)[0].code == "LLM_PROTOCOL_ERROR"

    def test_a_field_that_only_the_second_does_not_take_is_not_the_callers(self):
        shown = rescue_scene(FIRST, LLMInvalidRequest())

        heard_from(shown.answer)

        assert shown.codes[1] == "LLM_REQUEST_REJECTED"

    def test_a_break_after_the_seam_ends_with_the_first_failure(self):
        shown = rescue_scene([*FIRST, LLMTimeout()], [*WHOLE[:2], LLMUnavailable()])

        pieces, error = heard_from(shown.answer)

        assert isinstance(error, LLMTimeout)
        assert text_of(pieces) == "The launch is on Friday"
        assert shown.codes == ["LLM_TIMEOUT", "LLM_UNAVAILABLE"]

    def test_a_budget_that_is_spent_ends_with_the_first_failure(self):
        shown = rescue_scene(FIRST, BudgetExceeded())

        assert heard_from(shown.answer)[1] is shown.walk.heard[0]

    @pytest.mark.parametrize("error", [CallerGone(), KeyError("x")], ids=repr)
    def test_but_no_model_is_blamed_for_what_is_not_its_fault(self, error):
        shown = rescue_scene(FIRST, error)

        with pytest.raises(type(error)):
            list(shown.answer)
