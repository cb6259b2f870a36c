"""A thread over the whole walk: mails that come by the webhook, one after the other."""

import re

import pytest
from invoice_mail import digest_of, warnings_of
from thread_mails import body, mail

DROP = "We do not need draft 1 any more, drop it."
BODIES = [body(1), body(2, DROP)]


@pytest.fixture
def post(gateway, says):
    """Send mail `number`; the model tells its task truly."""

    def post(number, **query):
        quote = f"I will send draft {number} to the harbour office."
        task = {"task": f"Send draft {number}", "evidence": {"quote": quote}}
        says({"action_items": [task]})
        content = mail(number, BODIES[:number])
        query = {"type": "action_items"} | query
        return gateway.post(content, "message/rfc822", **query)

    return post


def test_a_thread_is_remembered_where_a_request_says_so(post):
    post(1, thread="remember")
    response = post(2, thread="remember")

    items = digest_of(response)["action_items"]
    assert [each["task"] for each in items] == ["Send draft 1", "Send draft 2"]
    assert items[0]["evidence"]["part"] == "p2"
    assert "known_text_left_out" in warnings_of(response)


@pytest.mark.parametrize("query", [{}, {"thread": "ignore"}], ids=["silent", "ignore"])
def test_else_nothing_of_it_is_stored(post, query):
    post(1, **query)
    response = post(2, thread="remember")

    items = digest_of(response)["action_items"]
    assert [each["task"] for each in items] == ["Send draft 2"]


def test_its_plan_is_that_of_what_is_new(post):
    whole = post(2, dry_run="true").json["data"]["plan"]
    post(1, thread="remember")
    rest = post(2, dry_run="true", thread="remember").json["data"]["plan"]

    assert rest["tokens_input"] < whole["tokens_input"]


def test_the_plan_for_another_receiver_knows_nothing_of_the_thread(post):
    post(1, thread="remember")
    told = {"callback_url": "https://hooks.example.com/told"}
    plans = [
        post(2, dry_run="true", **each).json["data"]["plan"]["tokens_input"]
        for each in ({"thread": "remember"}, {"thread": "remember"} | told, {})
    ]
    known, elsewhere, whole = plans

    # The delimiter of the document is another one each time.
    assert abs(elsewhere - whole) < 40 < (whole - known) / 2


def test_a_thread_lies_under_no_name_of_its_own(gateway, post):
    post(1, thread="remember")

    with gateway.services.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM digest_threads").all()
    assert len(rows) == 1
    assert not re.search("m1@|harbour|draft", str(rows))
