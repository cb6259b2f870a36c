"""How budgets that a request passed are told, in a header and as warnings."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from budget_rows import DOLLAR, budget, standing

from flaskllm.api.budget_notices import budget_header
from flaskllm.api.openai.responses_socket import ResponsesTalk
from flaskllm.api.v1.chat_socket import ChatTalk
from flaskllm.services.budget_words import budget_warnings
from flaskllm.services.budgets import BudgetNotice, Refused, exceeded

SOFT = BudgetNotice("bud_1", "month", 25 * DOLLAR, 26_100_000_000)
SPENT = BudgetNotice("bud_2", "day", DOLLAR, DOLLAR, "local")


def test_a_request_that_passed_none_has_no_header():
    assert budget_header(()) == {}
    assert budget_warnings(()) == []


def test_each_is_told_in_the_words_of_the_header():
    soft = "soft; period=month; limit=25.00; spent=26.10"
    exhausted = "exhausted; alias=local; period=day; limit=1.00; spent=1.00"

    told = budget_header((SOFT, SPENT))

    assert told == {"X-Flaskllm-Budget": f"{soft}, {exhausted}"}
    assert budget_warnings((SOFT, SPENT)) == [f"budget: {soft}", f"budget: {exhausted}"]


@pytest.mark.parametrize(
    ("alias", "shown"),
    [
        ("org/llama3.1:8b", "org/llama3.1:8b"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("a; b, c\r\nX-Evil: 1", "a%3B%20b%2C%20c%0D%0AX-Evil:%201"),
    ],
)
def test_an_alias_cannot_break_out_of_the_header(alias, shown):
    (told,) = budget_header([BudgetNotice("bud_1", "day", 1, 1, alias)]).values()

    assert told.split("; ")[1] == f"alias={shown}"


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (ChatTalk(), lambda event: event["code"]),
        (ResponsesTalk(), lambda event: event["error"]["code"]),
    ],
    ids=["ours", "openai"],
)
def test_a_turn_of_a_websocket_that_is_refused_ends_with_its_error(talk, told):
    refused = Refused(standing(budget(), 60), None, 1)
    error = exceeded(refused, datetime(2026, 8, 5, tzinfo=UTC), ZoneInfo("UTC"))

    event = talk.refuse(error)

    assert told(event) in ("BUDGET_EXCEEDED", "insufficient_quota")
    assert "tag sales" in str(event)
