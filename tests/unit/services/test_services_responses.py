"""Responses kept for later turns."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import FakeClock
from sealers import content_sealer

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError, NotFound, ServiceUnavailable
from flaskllm.services.responses import (
    KEPT_FOR,
    MOST_CONVERSATION_BYTES,
    KeptResponse,
    Responses,
)
from flaskllm.storage.database import Database
from flaskllm.storage.responses import ResponseRows

FIRST = KeptResponse("resp_1", {"output": [{"id": "o1"}]}, [{"id": "i1"}])
SECOND = KeptResponse(
    "resp_2", {"output": [{"id": "o2"}]}, [{"id": "i2"}], previous_id="resp_1"
)


class NoRows:
    """A database that takes nothing."""

    def add(self, row):
        raise ServiceUnavailable(details="The disk is full.")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def responses(clock):
    database = Database(
        "sqlite://", journal="truncate", clock=SystemClock(), sealer=content_sealer()
    )
    yield Responses(ResponseRows(database), clock)
    database.close()


def test_a_response_is_told_again_as_it_was(responses):
    assert responses.keep(FIRST, "anna") is True

    assert responses.find("resp_1", "anna") == FIRST


def test_a_conversation_is_every_turn_in_its_order(responses):
    responses.keep(FIRST, "anna")
    responses.keep(SECOND, "anna")

    items = responses.conversation("resp_2", "anna")

    assert [item["id"] for item in items] == ["i1", "o1", "i2", "o2"]


@pytest.mark.parametrize("use", ["find", "conversation", "remove"])
def test_another_principals_response_reads_as_one_that_never_was(responses, use):
    responses.keep(FIRST, "anna")
    told = []

    for response_id, principal in [("resp_1", "ben"), ("resp_x", "anna")]:
        with pytest.raises(NotFound) as refused:
            getattr(responses, use)(response_id, principal)
        told.append(refused.value)

    ours, never = (each.message.replace("resp_x", "resp_1") for each in told)
    assert ours == never
    assert told[0].details == told[1].details
    assert responses.find("resp_1", "anna") == FIRST


def test_a_response_is_kept_for_thirty_days(responses, clock):
    responses.keep(FIRST, "anna")

    clock.advance(timedelta(days=30).total_seconds() - 1)
    assert responses.find("resp_1", "anna") == FIRST
    clock.advance(1)
    with pytest.raises(NotFound):
        responses.find("resp_1", "anna")


def test_a_conversation_whose_beginning_is_gone_is_gone(responses):
    responses.keep(FIRST, "anna")
    responses.keep(SECOND, "anna")

    responses.remove("resp_1", "anna")

    with pytest.raises(NotFound):
        responses.conversation("resp_2", "anna")
    assert responses.find("resp_2", "anna") == SECOND


def test_a_conversation_of_too_many_turns_is_refused_by_name(responses):
    before = None
    for turn in range(1001):
        kept = KeptResponse(f"resp_{turn}", {"output": []}, [], previous_id=before)
        responses.keep(kept, "anna")
        before = kept.id

    assert responses.conversation("resp_999", "anna") == []
    with pytest.raises(InvalidInputError) as refused:
        responses.conversation("resp_1000", "anna")
    assert refused.value.fields[0].path == "previous_response_id"


def test_a_conversation_of_too_many_bytes_is_refused_by_name(responses):
    large = [{"id": "i", "content": "x" * MOST_CONVERSATION_BYTES}]
    responses.keep(FIRST, "anna")
    responses.keep(replace(SECOND, input_items=large), "anna")

    with pytest.raises(InvalidInputError) as refused:
        responses.conversation("resp_2", "anna")
    assert refused.value.fields[0].path == "previous_response_id"


def test_an_answer_is_not_lost_with_the_database(clock, caplog):
    caplog.set_level("WARNING")

    assert Responses(NoRows(), clock).keep(FIRST, "anna") is False

    (record,) = caplog.records
    assert record.getMessage() == "response_not_kept"
    assert record.fields["code"] == "SERVICE_UNAVAILABLE"


def test_half_a_surrogate_pair_is_kept_too(responses):
    odd = KeptResponse("resp_1", {"output": ["\ud83d"]}, [])
    responses.keep(odd, "anna")

    assert responses.find("resp_1", "anna") == odd


@pytest.mark.parametrize("odd", ["resp_\0", "resp_", "", "RESP_1", "resp_é"])
def test_what_is_no_id_is_not_looked_up(clock, odd):
    responses = Responses(None, clock)

    for use in (responses.find, responses.conversation, responses.remove):
        with pytest.raises(NotFound):
            use(odd, "anna")


def test_an_id_of_any_length_is_told_short(responses):
    with pytest.raises(NotFound) as refused:
        responses.find("x" * 10**6, "anna")

    assert len(refused.value.message) < 200


@pytest.mark.parametrize("number", [0, 1, 200, 401])
def test_what_has_expired_is_forgotten_and_counted(responses, clock, number):
    for each in range(number):
        responses.keep(replace(FIRST, id=f"resp_{each}"), "anna")
    clock.advance(KEPT_FOR.total_seconds() - 1)
    assert responses.forget_expired() == 0
    responses.keep(replace(FIRST, id="resp_new"), "anna")
    clock.advance(1)

    assert responses.forget_expired() == number
    assert responses.forget_expired() == 0
    assert responses.find("resp_new", "anna")


def test_one_turn_forgets_so_many_at_most(clock):
    class Endless:
        def remove_expired(self, at, most):
            return most

    assert Responses(Endless(), clock).forget_expired() == 10_000
