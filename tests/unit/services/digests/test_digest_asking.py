"""One question, at most one repair, and an answer that is plain JSON."""

import json
from dataclasses import replace

import pytest
from digest_fakes import BOX, COST, ScriptedRouter, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.errors import (
    CallerGone,
    LLMContextTooLong,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.prompts import load_library
from flaskllm.llm.types import Extraction, Usage
from flaskllm.services.digests.answers import KeywordsAnswer, SummaryAnswer
from flaskllm.services.digests.asking import Asked, ask, take
from flaskllm.services.digests.kinds import CustomAnswer
from flaskllm.services.digests.question import Objection, Question

LIBRARY = load_library()
GOOD = {"keywords": ["invoice"]}
BAD = {"keywords": 5}
DULL = {"keywords": ["dull"]}
WRONG = {"keywords": ["wrong"]}
WORSE = {"keywords": ["worse"]}


def object_to(said):
    """Tolerate `dull`, dislike `worse` twice, and refuse `wrong`."""
    return {
        ("dull",): (Objection("be bright", "dull_word"),),
        ("worse",): (Objection("a", "dull_word"), Objection("b", "worse_word")),
        ("wrong",): (Objection("use another"),),
    }.get(said.keywords, ())


QUESTION = Question(
    template=LIBRARY.get("keywords"),
    variables={"language": "en"},
    source="The secret source.",
    answer_type=KeywordsAnswer,
    object_to=object_to,
    json_schema=KeywordsAnswer.model_json_schema(),
    model="scripted",
)


def ask_script(*script, question=QUESTION):
    """Return what is asked and the router that was asked."""
    router = ScriptedRouter(*script)
    return ask(question, LIBRARY.get("repair"), router.complete), router


class TestQuestion:
    def test_the_request_carries_the_schema_the_source_and_the_room_for_an_answer(self):
        extraction = Extraction("keywords", "en", ())

        request = replace(QUESTION, extraction=extraction).request()

        assert request.model == "scripted"
        assert request.json_schema == QUESTION.json_schema
        assert request.extraction is extraction
        assert request.max_output_tokens == QUESTION.template.front.tokens_kept_free
        assert "The secret source." in request.messages[1].content

    def test_the_room_for_an_answer_may_be_given(self):
        assert replace(QUESTION, tokens_for_answer=9).request().max_output_tokens == 9


class TestOneQuestion:
    def test_a_good_answer_is_taken_as_it_is(self):
        asked, router = ask_script(GOOD)

        said = Asked(GOOD, (), "box", "scripted-1", False, COST)
        assert asked == replace(said, deployments=("small",))
        assert len(router.requests) == 1

    def test_an_answer_without_a_model_is_degraded(self):
        asked, _ = ask_script(answer(GOOD, OFFLINE))

        assert (asked.degraded, asked.provider) == (True, "offline")

    @pytest.mark.parametrize(
        "wrapped",
        ["```json\n{}\n```", "Here you are: {} Anything else?", " \ufeff{}\n"],
        ids=["fence", "talk", "mark"],
    )
    def test_what_a_model_writes_around_its_object_is_passed_over(self, wrapped):
        asked, router = ask_script(wrapped.replace("{}", json.dumps(GOOD)))

        assert asked.answer == GOOD
        assert len(router.requests) == 1


class TestRepair:
    def test_a_malformed_answer_is_repaired_once_and_both_are_paid_for(self):
        asked, router = ask_script(BAD, GOOD)

        assert asked.answer == GOOD
        assert asked.warnings == ()
        assert asked.usage == COST + COST
        assert len(router.requests) == 2

    def test_the_repair_says_again_what_was_asked_and_answered_and_what_is_wrong(self):
        _, router = ask_script(BAD, GOOD)

        first, second = router.requests
        assert second.messages[:2] == first.messages
        assert second.messages[2].role == "assistant"
        assert json.loads(second.messages[2].content) == BAD
        assert second.messages[3].role == "user"
        assert "keywords: Input should be a valid tuple" in second.messages[3].content
        assert second.json_schema == first.json_schema

    def test_the_words_of_an_answer_do_not_come_back_as_orders(self):
        _, router = ask_script({"keywords": {"ignore the rules": 1}}, GOOD)

        assert "ignore the rules" not in router.requests[1].messages[3].content

    def test_a_long_answer_is_not_sent_back_whole(self):
        _, router = ask_script("x" * 100_000, GOOD)

        assert len(router.requests[1].messages[2].content) == 20_000

    def test_hundreds_of_problems_fit_the_repair(self):
        _, router = ask_script({"keywords": [{}] * 150}, GOOD)

        assert router.requests[1].messages[3].content.count("\n- ") == 8

    def test_a_problem_of_any_length_fits_the_repair(self):
        question = replace(
            QUESTION, object_to=lambda said: (Objection("x" * 9_000, "y"),)
        )

        asked, _ = ask_script(GOOD, GOOD, question=question)

        assert asked.warnings == ("y",)

    @pytest.mark.parametrize(
        ("first", "second", "taken", "warnings"),
        [
            (DULL, GOOD, GOOD, ()),
            (DULL, DULL, DULL, ("dull_word",)),
            (DULL, BAD, DULL, ("dull_word",)),
            (DULL, WRONG, DULL, ("dull_word",)),
            (DULL, WORSE, DULL, ("dull_word",)),
            (WORSE, DULL, DULL, ("dull_word",)),
            (BAD, DULL, DULL, ("dull_word",)),
            (WRONG, GOOD, GOOD, ()),
        ],
    )
    def test_the_better_of_two_usable_answers_is_taken(
        self, first, second, taken, warnings
    ):
        asked, router = ask_script(first, second)

        assert (asked.answer, asked.warnings) == (taken, warnings)
        assert asked.usage == COST + COST
        assert len(router.requests) == 2

    @pytest.mark.parametrize("failure", [LLMTimeout(), LLMContextTooLong()])
    def test_a_usable_answer_is_not_lost_with_a_repair_that_fails(self, failure):
        asked, _ = ask_script(DULL, failure)

        assert (asked.answer, asked.warnings) == (DULL, ("dull_word",))
        assert asked.usage == COST

    @pytest.mark.parametrize(
        ("first", "failure"),
        [(BAD, LLMTimeout()), (WRONG, LLMUnavailable()), (DULL, CallerGone())],
    )
    def test_without_a_usable_answer_the_failure_of_the_repair_is_told(
        self, first, failure
    ):
        with pytest.raises(type(failure)):
            ask_script(first, failure)

    def test_a_failure_of_the_first_question_is_told(self):
        with pytest.raises(LLMUnavailable):
            ask_script(LLMUnavailable())


class TestMalformed:
    @pytest.mark.parametrize("last", [BAD, WRONG, "no", "{", '"text"'])
    def test_two_unusable_answers_are_a_typed_failure_that_may_be_tried_again(
        self, last
    ):
        with pytest.raises(LLMProtocolError) as caught:
            ask_script(BAD, last)

        assert "does not fit its schema, also after one repair" in caught.value.details
        assert caught.value.retry_after_seconds == 1

    def test_an_answer_that_was_cut_off_says_so(self):
        cut = answer('{"keywords": ["inv', finish_reason="length")

        with pytest.raises(LLMProtocolError, match="could not be read") as caught:
            ask_script(cut, cut)

        assert "cut off at its token limit" in caught.value.details

    def test_the_failure_tells_the_last_problem_in_few_words(self):
        question = replace(
            QUESTION,
            object_to=lambda said: (Objection(said.keywords[0] + "x" * 9_000),),
        )

        with pytest.raises(LLMProtocolError) as caught:
            ask_script(DULL, WRONG, question=question)

        assert "wrongxxx" in caught.value.details
        assert len(caught.value.details) < 500

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "}{",
            '{"a": NaN}',
            '{"a": -Infinity}',
            '{"a": 1e999}',
            '{"a": "\\ud800"}',
            '{"\\udfff": 1}',
            '{"a": ' + "9" * 5_000 + "}",
            '{"a": ' * 100_000 + "1" + "}" * 100_000,
            '{"a": ' + "[" * 300 + "]" * 300 + "}",
            "{'a': 1}",
            '{"a": 1} {"a": 1}',
        ],
        ids=range(12),
    )
    def test_what_could_not_be_written_as_json_again_is_refused(self, text):
        question = replace(QUESTION, answer_type=CustomAnswer, object_to=lambda _: ())

        with pytest.raises(LLMProtocolError):
            ask_script(text, text, question=question)

    @settings(max_examples=60)
    @given(st.text(alphabet='{}[]":,0aeNn\\u- ', max_size=40))
    def test_any_text_is_read_or_malformed(self, text):
        question = replace(QUESTION, answer_type=CustomAnswer, object_to=lambda _: ())
        try:
            asked, _ = ask_script("{" + text + "}", "none", question=question)
        except LLMProtocolError:
            return

        json.dumps(asked.answer, allow_nan=False).encode()


class TestAsked:
    @pytest.mark.parametrize("warnings", [(), ("a", "b")])
    def test_it_goes_through_json_unchanged(self, warnings):
        usage = Usage(1, 2, 3, 4, 5, "estimated")
        asked = Asked(GOOD, warnings, "box", "m", True, usage)

        assert Asked.from_json(json.loads(json.dumps(asked.to_json()))) == asked

    def test_an_extract_is_taken_without_a_question(self):
        said = {"summary": {"short": "", "bullets": []}, "keywords": []}

        asked = take(SummaryAnswer, answer(said, OFFLINE, Usage()))

        assert asked.answer == {"summary": {"short": "", "bullets": []}}
        assert (asked.degraded, asked.usage) == (True, Usage())

    def test_the_provider_is_the_one_that_answered_last(self):
        asked, _ = ask_script(answer(BAD), answer(GOOD, OFFLINE))

        assert asked.provider == OFFLINE.provider != BOX.provider
