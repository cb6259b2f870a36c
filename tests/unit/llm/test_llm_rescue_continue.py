"""A deployment that answers otherwise may be asked for the rest alone."""

from dataclasses import replace

import pytest
from rescue_scene import heard_from, rescue_scene, seams_of, text_of
from stream_scene import RAW, REQUEST

from flaskllm.llm.continuing import INSTRUCTION
from flaskllm.llm.parts import Message, Text
from flaskllm.llm.streams import Seam
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import JsonFormat

END = b"finish:stop\nusage:12,9\ndone\n"
FIRST = [b"text:The launch \n", b"text:is on \n"]
WHOLE = [b"text:The launch is \n", b"text:on Friday\n", b"text: at noon.\n", END]
SHOWN = "The launch is on "
TOLD = "The launch is on Friday at noon."


OTHER = [b"text:We launch on Friday.\n"]


NOT_FREE = {
    "a schema": replace(REQUEST, json_schema={"type": "object"}),
    "JSON": replace(REQUEST, json_format=JsonFormat()),
    "a tool": replace(REQUEST, tool_choice="required"),
}


class TestContinue:
    def test_after_another_answer_the_same_deployment_is_asked_for_the_rest(self):
        rest = [b"text:is on \n", b"text:Friday at noon.\n", END]
        shown = rescue_scene(FIRST, OTHER, rest, names="bb", rescue="continue")

        pieces, error = heard_from(shown.answer)

        assert error is None
        assert text_of(pieces) == TOLD
        assert seams_of(pieces) == [
            Seam("a", "b", len(SHOWN), "LLM_PROTOCOL_ERROR", "continue")
        ]
        assert shown.walk.may_continue

    def test_it_is_asked_by_instruction_in_the_canonical_form(self):
        request = replace(RAW, max_output_tokens=100)
        shown = rescue_scene(
            FIRST, OTHER, WHOLE, names="bb", rescue="continue", request=request
        )

        heard_from(shown.answer)

        asked, reads = shown.walk.asked[2]
        assert asked is reads
        assert asked.body is None
        assert asked.messages == (
            *request.messages,
            Message("assistant", SHOWN),
            Message("user", INSTRUCTION),
        )
        assert asked.max_output_tokens == 100 - estimate(SHOWN)

    def test_what_the_caller_began_itself_is_one_turn_with_what_was_shown(self):
        begun = (*REQUEST.messages, Message("assistant", "Well: "))
        request = replace(REQUEST, messages=begun)
        shown = rescue_scene(
            FIRST, OTHER, WHOLE, names="bb", rescue="continue", request=request
        )

        heard_from(shown.answer)

        asked, _ = shown.walk.asked[2]
        said = Message("assistant", (Text("Well: "), Text(SHOWN)))
        assert asked.messages[1:-1] == (said,)
        assert asked.max_output_tokens is None

    def test_another_deployment_is_first_asked_for_the_whole_again(self):
        shown = rescue_scene(FIRST, OTHER, WHOLE, names="bc", rescue="continue")

        pieces, _ = heard_from(shown.answer)

        assert seams_of(pieces)[0].mode == "match"
        assert shown.walk.asked[2][0] == REQUEST

    @pytest.mark.parametrize("request_", NOT_FREE.values(), ids=NOT_FREE)
    def test_no_rest_is_asked_for_where_the_form_of_the_answer_is_fixed(self, request_):
        shown = rescue_scene(FIRST, OTHER, request=request_, rescue="continue")

        heard_from(shown.answer)

        assert not shown.walk.may_continue

    def test_where_the_route_says_match_no_rest_is_asked_for(self):
        shown = rescue_scene(FIRST, OTHER)

        heard_from(shown.answer)

        assert not shown.walk.may_continue
