"""What the pipeline asks a model for, and what it makes of a source without one."""

import json
from typing import get_args

import pytest
from digest_fakes import ScriptedRouter
from digest_orders import FACTS, ORDER, TRUTH, make, order

from flaskllm.core.errors import LLMAPIError, NoModelConfigured
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import Usage
from flaskllm.services.digests.kinds import KINDS
from flaskllm.services.digests.types import DigestOrder, DigestType


class TestExtractive:
    """Without a model every type that has an extract is made of the source."""

    @pytest.mark.parametrize(
        "kind", ["summary", "action_items", "keywords", "entities"]
    )
    def test_types_with_an_extract_are_answered_and_marked(self, kind):
        result = make(ScriptedRouter(None), order(kind))

        assert result.degraded
        assert (result.provider, result.usage) == ("offline", Usage())
        assert getattr(result.digest, KINDS[kind].fills[0])
        assert "CANARY" not in json.dumps(result.digest.to_json())

    @pytest.mark.parametrize(
        "kind", ["reply", "sentiment", "classification", "translation", "custom"]
    )
    def test_other_types_say_how_to_add_a_model(self, kind):
        wanted, _ = TRUTH[kind]

        with pytest.raises(NoModelConfigured) as caught:
            make(ScriptedRouter(None), order(kind, **wanted))

        assert "OPENAI_API_KEY" in caught.value.details

    @pytest.mark.parametrize(
        "content",
        [
            ORDER,
            "...",
            "5",
            "x" * 9_000,
            "word " * 3_000,
            "我们决定购买" * 1_500,
            "a\n" * 99,
        ],
        ids=["order", "dots", "digit", "blob", "no stop", "chinese", "lines"],
    )
    @pytest.mark.parametrize(
        "kind", ["summary", "action_items", "keywords", "entities"]
    )
    def test_strange_sources_have_a_digest_too(self, kind, content):
        wanted = DigestOrder(content=content.encode(), type=kind)

        result = make(ScriptedRouter(None), wanted)

        assert isinstance(result.text, str)
        assert "CANARY" not in result.text

    def test_dates_are_worked_out_from_their_words(self):
        result = make(ScriptedRouter(None), order())

        assert [fact.date for fact in result.digest.dates] == ["2026-10-09"]

    def test_prose_from_an_extract_is_marked(self):
        # The model found the facts, then only the extractive provider was left.
        router = ScriptedRouter(FACTS)
        router.script.append(None)

        result = make(router, order())

        assert result.digest.summary.short
        assert result.degraded


class TestRequests:
    @pytest.mark.parametrize("kind", sorted(set(get_args(DigestType)) - {"custom"}))
    def test_a_model_is_asked_for_the_schema_of_its_type_by_the_callers_alias(
        self, kind
    ):
        wanted, script = TRUTH[kind]
        router = ScriptedRouter(*script)

        make(router, order(kind, **wanted, model="fast"))

        first = router.requests[0]
        assert first.json_schema == KINDS[kind].answer.model_json_schema()
        assert {request.model for request in router.requests} == {"fast"}
        assert (first.extraction.wanted, first.extraction.language) == (kind, "en")

    def test_a_custom_order_asks_for_the_callers_schema(self):
        schema = {"type": "object", "properties": {"number": {"type": "integer"}}}
        router = ScriptedRouter({"number": 4711})

        result = make(router, order("custom", variables={"schema": schema}))

        assert router.requests[0].json_schema == schema
        assert json.loads(result.text) == {"number": 4711}

    def test_a_translation_has_room_for_all_of_it(self):
        text = "This is a sentence of the long text. " * 2_000
        router = ScriptedRouter({"translation": "Nein."}, LLMAPIError())

        make(
            router,
            DigestOrder(content=text.encode(), type="translation", language="de"),
        )

        assert router.requests[0].max_output_tokens > estimate(text)

    def test_a_reply_needs_a_model_for_its_prose(self):
        router = ScriptedRouter(FACTS, {"reply_draft": "I will pay."})

        make(router, order("reply"))

        assert router.requests[1].extraction is None
        assert router.requests[1].json_schema["required"] == ["reply_draft"]
