"""Batches over HTTP: many documents as one job, with an answer or an error each."""

import pytest
from job_http_scene import ASYNC, BATCHES, BODY, HOOK, JOBS, TEXT, JobCalls, answer_of


@pytest.fixture
def plain(make_gateway):
    """A gateway without a model."""
    return JobCalls(make_gateway())


def prompts(n):
    return [{"prompt": f"{TEXT} Number {number}."} for number in range(n)]


def items_of(calls, batch_id, query=""):
    reply = calls.get(f"{JOBS}/{batch_id}/items{query}")
    assert reply.status_code == 200, reply.text
    return reply.json


def test_a_batch_is_one_job_with_an_answer_for_each_item(plain):
    reply = plain.post(BATCHES, {"items": [BODY, *prompts(2)], "priority": 2})
    plain.worker.work()

    batch = reply.json["data"]
    assert (reply.status_code, batch["kind"], batch["priority"]) == (202, "batch", 2)
    ended = plain.get(reply.headers["Location"])
    assert (ended.status_code, ended.json["data"]["state"]) == (200, "done")
    assert ended.json["data"]["counts"] == {"done": 3}
    assert ended.json["data"]["attempt"] is batch["attempt"] is None
    first, *_ = items = items_of(plain, batch["id"])["data"]
    assert [each["number"] for each in items] == [0, 1, 2]
    assert first["result"]["meta"]["metadata"] == {"ticket": 7}
    assert "unknown_field: colour" in first["result"]["meta"]["warnings"]
    alone = plain.get(f"{JOBS}/{first['id']}")
    assert alone.json == first["result"]
    assert answer_of(alone) == answer_of(plain.post("/api/v1/webhook", BODY))


def test_it_is_202_until_its_last_item_is_done(plain):
    batch_id = plain.accept({"items": prompts(2)}, path=BATCHES)

    reply = plain.get(f"{JOBS}/{batch_id}")

    assert reply.status_code == 202
    assert reply.json["data"]["counts"] == {"queued": 2}
    assert {each["state"] for each in items_of(plain, batch_id)["data"]} == {"queued"}


def test_an_item_fails_alone(plain):
    items = [BODY, BODY | {"type": "reply"}, BODY | {"template": "nowhere"}]

    batch_id = plain.done({"items": items}, path=BATCHES)

    found = items_of(plain, batch_id)["data"]
    assert plain.state(batch_id)["counts"] == {"done": 1, "failed": 2}
    assert [each["error_code"] for each in found] == [
        None,
        "NO_MODEL_CONFIGURED",
        "INVALID_INPUT",
    ]
    assert [each["result"] is None for each in found] == [False, True, True]
    assert found[2]["error"]["fields"][0]["path"] == "template"


def test_items_come_page_by_page(plain):
    batch_id = plain.accept({"items": prompts(5)}, path=BATCHES)

    pages, query = [], "?limit=2"
    while query:
        page = items_of(plain, batch_id, query)
        pages.append([each["number"] for each in page["data"]])
        following = page["meta"]["next"]
        query = f"?limit=2&after={following}" if following else ""

    assert pages == [[0, 1], [2, 3], [4]]


def test_items_are_not_listed_among_one_s_jobs(plain):
    batch_id = plain.accept({"items": prompts(2)}, path=BATCHES)

    listed = plain.get(JOBS).json["data"]

    assert [each["id"] for each in listed] == [batch_id]


def test_a_batch_is_cancelled_with_what_is_open_and_replayed_with_all(plain):
    batch_id = plain.accept({"items": prompts(2)}, path=BATCHES)

    cancelled = plain.post(f"{JOBS}/{batch_id}/cancel").json["data"]
    again = plain.post(f"{JOBS}/{batch_id}/replay").json["data"]["id"]
    plain.worker.work()

    assert cancelled["counts"] == {"cancelled": 2}
    assert plain.get(f"{JOBS}/{batch_id}").status_code == 410
    assert plain.state(again)["counts"] == {"done": 2}


def test_the_same_batch_twice_is_one_job(plain):
    body = {"items": prompts(2)}
    first = plain.accept(body, path=BATCHES)

    again = plain.accept(body, path=BATCHES)
    forced = plain.accept(body | {"force": True}, path=BATCHES)
    named = [
        plain.accept({"items": [each], "event_id": "evt_1"}, path=BATCHES)
        for each in (BODY, BODY | {"prompt": "Other."})
    ]

    assert first == again != forced
    assert named[0] == named[1]


def test_who_waits_for_a_batch_is_told_how_it_ended(plain):
    plain.works_while_waited_for()

    reply = plain.post(BATCHES, {"items": prompts(2)}, headers={"Prefer": "wait=5"})

    assert (reply.status_code, reply.json["data"]["state"]) == (200, "done")
    assert reply.headers["Preference-Applied"] == "wait=5"


def test_what_belongs_to_the_batch_means_nothing_in_an_item(plain):
    items = [BODY | {"callback_url": HOOK, "force": True}]

    batch_id = plain.done({"items": items}, path=BATCHES)

    (item,) = items_of(plain, batch_id)["data"]
    told = item["result"]["meta"]["warnings"]
    assert {"unknown_field: callback_url", "unknown_field: force"} <= set(told)
    assert plain.get(f"{JOBS}/{batch_id}/deliveries").json["data"] == []


WRONG = {
    "none": ([], "items"),
    "501": (prompts(501), "items"),
    "no list": ("x", "items"),
    "a text": ([BODY, "x"], "items.1"),
    "a number": ([5], "items.0"),
    "null": ([None], "items.0"),
    "a list": ([[]], "items.0"),
    "a wrong type": ([*prompts(3), {"prompt": "x", "type": "poem"}], "items.3.type"),
    "a blank prompt": ([BODY, {"prompt": " \n"}], "items.1.prompt"),
    "no prompt": ([BODY, {"type": "summary"}], "items.1.prompt"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_item_is_named_and_none_is_accepted(plain, name):
    items, path = WRONG[name]

    reply = plain.post(BATCHES, {"items": items}, headers=ASYNC)

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_INPUT")
    assert [each["path"] for each in reply.json["fields"]] == [path]
    assert plain.stored()["jobs"] == 0


def test_an_unknown_field_beside_the_items_is_refused(plain):
    reply = plain.post(BATCHES, {"items": [BODY], "callback": HOOK})

    assert [each["path"] for each in reply.json["fields"]] == ["callback"]
