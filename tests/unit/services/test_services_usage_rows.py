"""Attempts as they lie in the usage table, whatever names they come with."""

import json
from dataclasses import replace

import pytest
from fakes import FakeClock
from ledger_scene import DESCRIBED, NOON, open_ledger, reservation, settled, usage_by_id

from flaskllm.llm.types import Attempt, Deployment
from flaskllm.services.usage_rows import describe
from flaskllm.storage.usage import Described

# As long as the settings, or a caller who names models directly, let them be.
LONG = "p/" + "m" * 398
LONGEST = Attempt(1, LONG, Deployment(LONG, "p" * 64, "openai", "m" * 256), "d" * 400)


@pytest.mark.parametrize("is_swept", [False, True], ids=["closed", "swept"])
def test_the_longest_names_find_room_on_either_database(
    database_url, make_database, is_swept
):
    database = make_database(database_url)
    ledger = open_ledger(database, FakeClock(NOON))
    described = describe(LONGEST, "chat", "", opens_request=True)
    held = reservation("a", described=described, expires_at=NOON)
    ledger.write([held], [])

    if is_swept:
        ledger.sweep(10)
    else:
        ledger.write([], [settled(held, 5)])

    row = usage_by_id(database)["a"]
    assert (row.alias[:5], row.model[:3]) == ("p/mmm", "mmm")


@pytest.mark.parametrize(("attempt", "opens"), [(1, True), (2, False)])
def test_the_first_attempt_of_a_request_that_an_older_version_reserved_opens_it(
    attempt, opens
):
    told = json.loads(replace(DESCRIBED, attempt=attempt).to_json())
    del told["opens_request"]

    assert Described.from_json(json.dumps(told)).opens_request is opens


def test_names_of_a_usual_length_stay_whole():
    usual = Attempt(1, "box/" + "m" * 196, Deployment("d" * 200, "box", "k", "m" * 200))

    described = describe(usual, "chat", "", opens_request=True)

    assert described.alias == usual.alias
    assert described.deployment == "d" * 200
    assert described.model == "m" * 200
