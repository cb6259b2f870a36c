"""The plan: one call when it fits, else pieces that fit, and what all of it costs."""

from dataclasses import replace

import pytest
from digest_fakes import BOX
from digest_fakes import call as make_call
from long_meetings import ReadingModel, digests, meeting, order

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.parts import Message
from flaskllm.llm.terms import Limits, Price
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import CompletionRequest
from flaskllm.services.digests.sizes import Asking, at_once_of, bill_of, find_space

TEXT = "word " * 3000
"""About 3,000 tokens, the prompt aside."""
DOLLAR_A_MILLION = Price(1_000_000_000, 2_000_000_000)


def asking(growth=0.0):
    def request(source, tokens):
        messages = (Message("user", "Sum up. " + source),)
        return CompletionRequest(None, messages, max_output_tokens=tokens or 1000)

    return Asking(request, TEXT, growth)


def prospect(window, alias="fast", **told):
    deployment = replace(BOX, context_window=window, **told)
    sizes = Sizes(asking().request(TEXT, None))
    room = sizes.room(deployment)
    return Prospect(alias, deployment, sizes.of(deployment) if room else 0, room)


LOCAL = Prospect("offline", OFFLINE, is_local=True)


class TestSpace:
    @pytest.mark.parametrize(
        "prospects",
        [
            (),
            (LOCAL,),
            (LOCAL, prospect(2000)),
            (prospect(None),),
            (prospect(100_000),),
            (prospect(2000), prospect(100_000)),
            (prospect(2000), prospect(100_000, alias="large")),
            (prospect(150),),
        ],
        ids=[
            *("nobody", "no model", "offline first", "unknown", "fits", "another fits"),
            *("a fallback fits", "hopeless: the router says why"),
        ],
    )
    def test_it_is_all_of_the_text(self, prospects):
        assert find_space(asking(), prospects) is None

    def test_the_smallest_window_of_the_route_bounds_it(self):
        space = find_space(asking(), (prospect(3900), prospect(3000), LOCAL))

        assert space.prospect.deployment.context_window == 3000
        assert 1500 < space.tokens < 2000
        assert space.tokens_for_answer == 1000

    def test_no_more_than_a_third_of_a_window_is_kept_for_the_answer(self):
        space = find_space(asking(), (prospect(1200),))

        assert space.tokens_for_answer == 400

    def test_a_deployment_that_has_no_room_at_all_does_not_count(self):
        space = find_space(asking(), (prospect(100), prospect(3000)))

        assert space.prospect.deployment.context_window == 3000

    def test_an_unknown_window_behind_the_route_does_not_take_it(self):
        space = find_space(asking(), (prospect(2000), prospect(None, alias="rack")))

        assert space.prospect.deployment.context_window == 2000

    def test_tokens_per_minute_bound_it_as_a_window_does(self):
        limited = prospect(None, limits=Limits(tokens_per_minute=2000))

        space = find_space(asking(), (limited,))

        assert 1500 < space.tokens < 2000

    def test_an_answer_as_long_as_the_text_shares_the_window_with_it(self):
        space = find_space(asking(1.5), (prospect(3000),))

        assert 900 < space.tokens < 1200
        assert space.tokens_for_answer == int(space.tokens * 1.5)

    def test_an_answer_longer_than_the_longest_is_asked_for_in_pieces(self):
        space = find_space(asking(1.5), (prospect(100_000, max_output_tokens=1500),))

        assert 900 < space.tokens <= 1000


@pytest.mark.parametrize(
    ("limits", "at_once"), [((2, 3), 5), ((2, None), None), ((None,), None)]
)
def test_deployments_bound_how_many_run_at_once(limits, at_once):
    prospects = [
        prospect(None, limits=Limits(concurrent_requests=limit)) for limit in limits
    ]

    assert at_once_of([*prospects, LOCAL]) == at_once


class TestBill:
    def test_a_call_costs_its_input_and_a_usual_answer(self):
        request = asking().request(TEXT, None)

        bill = bill_of(request, prospect(None, price=DOLLAR_A_MILLION))

        assert bill.tokens_input >= estimate(TEXT, "careful") * 0.9
        assert bill.tokens_output_most == 1000
        assert bill.nanos == bill.tokens_input * 1000 + 400 * 2000

    def test_a_price_that_is_not_known_is_none(self):
        assert bill_of(asking().request(TEXT, None), prospect(None)).nanos is None

    @pytest.mark.parametrize("nobody", [None, LOCAL])
    def test_what_needs_no_model_is_free(self, nobody):
        assert bill_of(asking().request(TEXT, None), nobody).nanos == 0


class TestPlan:
    def plan(self, content, kind="summary", window=8192, **wanted):
        deployment = replace(BOX, context_window=window, price=DOLLAR_A_MILLION)
        model = ReadingModel(deployment=deployment)
        plan = digests(model).plan(order(content, kind, **wanted), make_call())
        assert model.requests == []
        return plan

    def test_a_short_document_takes_one_call_and_one_for_the_prose(self):
        plan = self.plan(meeting(10))

        assert (plan.calls, plan.is_split) == (2, False)
        assert 0 < plan.cost_nanos_estimated < 20_000_000

    def test_a_long_one_takes_a_call_for_each_piece(self):
        plan = self.plan(meeting(300))

        assert plan.calls == len(plan.pieces) + 1 > 5
        told = plan.to_json()
        assert told["pieces"] == len(plan.pieces)
        assert told["cost_estimated"] == plan.cost_nanos_estimated / 1e9
        assert told["tokens_input"] > estimate(meeting(300).decode())

    def test_what_writes_no_prose_takes_no_call_for_it(self):
        plan = self.plan(meeting(300), "keywords")

        assert plan.calls == len(plan.pieces)

    def test_with_a_larger_window_the_same_document_is_one_piece(self):
        assert not self.plan(meeting(300), window=128_000).is_split

    def test_a_bounce_costs_nothing(self):
        mail = (
            b"From: MAILER-DAEMON@example.com\nAuto-Submitted: auto-replied\n"
            b"Subject: Out of office\n\nI am away.\n"
        )
        model = ReadingModel()
        wanted = replace(order(mail), media_type="message/rfc822", source=None)

        assert digests(model).plan(wanted, make_call()).calls == 0

    def test_an_object_that_cannot_be_put_together_is_refused(self):
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}

        with pytest.raises(InvalidInputError) as caught:
            self.plan(meeting(300), "custom", variables={"schema": schema})

        assert caught.value.fields[0].path == "variables.schema"
        assert "larger context window" in caught.value.fields[0].allowed
