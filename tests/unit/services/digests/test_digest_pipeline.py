"""The one pipeline: steps that can be recorded, and usage that adds up."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from digest_fakes import BOX, COST, ScriptedRouter, answer
from digest_orders import FACTS, LIES, MAIL, PROSE, TRUTH, codes, make, order
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.errors import InvalidInputError, LLMProtocolError, LLMTimeout
from flaskllm.llm.types import Usage
from flaskllm.services.digests.kinds import KINDS
from flaskllm.services.digests.types import DigestType

NAMES = [
    *("points", "action_items", "task", "text", "evidence", "quote", "keywords"),
    *("entities", "kind", "sentiment", "label", "summary", "short", "reply_draft"),
    *("translation", "due", "date", "dates"),
]


@pytest.mark.parametrize("kind", get_args(DigestType))
class TestEveryType:
    def test_it_fills_the_fields_that_it_promises(self, kind):
        wanted, script = TRUTH[kind]

        result = make(ScriptedRouter(*script), order(kind, **wanted))

        assert result.type == kind
        for name in KINDS[kind].fills:
            assert getattr(result.digest, name), name
        assert (result.provider, result.model) == ("box", "scripted-1")
        assert (result.degraded, result.cached) == (False, False)
        assert result.id.startswith("dig_")

    def test_a_recorded_run_gives_the_same_digest_without_any_model(self, kind):
        wanted, script = TRUTH[kind]
        recorded = {}

        def record(name, function):
            assert name not in recorded
            recorded[name] = json.dumps(function(), allow_nan=False)
            return json.loads(recorded[name])

        def replay(name, function):
            return json.loads(recorded[name])

        first = make(ScriptedRouter(*script), order(kind, **wanted), record)
        again = make(ScriptedRouter(), order(kind, **wanted), replay)

        assert replace(again, id=first.id) == first

    def test_no_word_of_an_order_to_the_machine_comes_through(self, kind):
        wanted, script = TRUTH[kind]
        router = ScriptedRouter(*script)

        result = make(router, order(kind, **wanted))

        assert "CANARY" not in json.dumps(result.digest.to_json())
        prompts = (router.prompt(index) for index in range(len(router.requests)))
        assert "CANARY" not in "".join(prompts)
        assert "instructions_in_source" in codes(result)

    def test_a_template_of_another_type_is_refused_before_a_model_is_asked(self, kind):
        wanted, _ = TRUTH[kind]
        other = "keywords" if kind != "keywords" else "summary"
        router = ScriptedRouter()

        with pytest.raises(InvalidInputError) as caught:
            make(router, order(kind, **wanted, template=other))

        assert caught.value.fields[0].path == "template"
        assert router.requests == []

    @settings(max_examples=25, deadline=None)
    @given(
        lies=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(NAMES),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_a_model_may_write_any_json_and_only_typed_errors_come_of_it(
        self, kind, lies
    ):
        wanted, _ = TRUTH[kind]
        router = ScriptedRouter(*[lies] * 6)

        try:
            result = make(router, order(kind, **wanted))
        except LLMProtocolError:
            return

        json.dumps(result.digest.to_json(), allow_nan=False).encode()
        assert isinstance(result.text, str)


class TestUsage:
    def test_facts_repair_and_prose_add_up(self):
        router = ScriptedRouter("no json", FACTS, "none either", PROSE)

        result = make(router, order())

        assert result.usage == COST + COST + COST + COST
        assert len(router.requests) == 4

    def test_an_estimate_among_them_names_the_sum(self):
        guessed = replace(COST, source="estimated")
        router = ScriptedRouter(FACTS, answer(PROSE, usage=guessed))

        assert make(router, order()).usage.source == "estimated"

    def test_an_extract_costs_nothing_more(self):
        result = make(ScriptedRouter(LIES), order())

        assert result.usage == COST + Usage()


class TestSteps:
    def test_each_question_is_a_step_of_its_own_name(self):
        names = []

        def step(name, function):
            names.append(name)
            return function()

        make(ScriptedRouter(FACTS, PROSE), order(), step)
        make(ScriptedRouter(LIES), order(), step)

        assert names == ["facts", "prose", "facts", "extract"]

    def test_an_error_in_a_step_comes_through(self):
        with pytest.raises(LLMTimeout):
            make(ScriptedRouter(FACTS, LLMTimeout()), order())


class TestSummary:
    def test_without_a_fact_that_holds_it_is_sentences_of_the_source(self):
        router = ScriptedRouter(LIES)

        result = make(router, order())

        assert result.digest.summary.short in MAIL.decode().replace("\n", " ")
        assert result.degraded
        assert result.provider == "box"
        assert codes(result)[-2:] == ["quote_not_in_source", "summary_extracted"]

    @pytest.mark.parametrize("short", ["", "CANARY-77", "![x](https://evil.example)"])
    def test_a_prose_of_which_nothing_is_left_gives_way_to_the_source(self, short):
        result = make(ScriptedRouter(FACTS, {"summary": short}), order())

        assert result.digest.summary.short in MAIL.decode().replace("\n", " ")
        assert "summary_extracted" in codes(result)
        assert result.digest.action_items[0].owner == "Ben Ito"

    def test_points_are_for_the_prose_and_not_in_the_digest(self):
        result = make(ScriptedRouter(FACTS, PROSE), order())

        assert "points" not in result.digest.to_json()
        assert result.digest.kind == "email"
        assert [person.name for person in result.digest.participants] == [
            "Ada Quist",
            "Ben Ito",
        ]

    def test_a_lie_does_not_reach_the_prompt_of_the_prose(self):
        router = ScriptedRouter({**FACTS, "decisions": ["We will sue."]}, PROSE)

        result = make(router, order())

        assert "sue" not in router.prompt(1)
        assert result.digest.decisions == ()

    def test_what_the_caller_wants_besides_is_told_twice(self):
        router = ScriptedRouter(FACTS, PROSE)

        make(router, order(variables={"instructions": "Mind the tax."}))

        assert "Mind the tax." in router.prompt(0)
        assert "Mind the tax." in router.prompt(1)


class TestWarnings:
    def test_each_is_told_once_with_its_count(self):
        facts = {
            "points": ["Made up.", "Made up too."],
            "action_items": [FACTS["action_items"][0] | {"owner": "Dan"}],
            "keywords": ["gold", "silver"],
        }

        result = make(ScriptedRouter(facts, PROSE), order())

        assert len(set(codes(result))) == len(codes(result))
        assert "quote_not_in_source: 2 without a quote in the source, dropped or " in (
            "\n".join(result.warnings)
        )
        assert "keyword_not_in_source: 2 dropped" in result.warnings
        assert result.digest.warnings == result.warnings

    def test_what_is_left_out_of_a_reply_is_told_once(self):
        draft = {"reply_draft": "I will pay. See https://evil.example."}

        result = make(ScriptedRouter(FACTS, draft, draft), order("reply"))

        assert result.digest.reply_draft == "I will pay."
        assert codes(result).count("link_not_in_source") == 1


def test_the_text_is_in_the_form_that_was_asked_for():
    router = ScriptedRouter(FACTS, PROSE)

    result = make(router, order(response_format="json"))

    assert json.loads(result.text)["summary"]["short"] == "The invoice must be paid."
    assert BOX.provider == result.provider
