"""Changing the master secret from the first step to the last."""

import json
from datetime import timedelta

import pytest
from fakes import FakeClock
from sealers import CURRENT, PREVIOUS, content_sealer, key_ring
from sqlalchemy import select, text

from flaskllm.core.auth import Actor
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.resealing import Resealing, Standing
from flaskllm.services.responses import KeptResponse, Responses
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage.resealing import SealedValues
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.tables import api_tokens, audit

ANNA = Actor("cli:anna")
KEPT = KeptResponse("resp_1", {"output": []}, [{"id": "i1"}])
LATER = timedelta(days=1)


class House:
    """A database, and programs that know it under these secrets."""

    def __init__(self, url, make_database):
        self.clock = FakeClock()
        self._url = url
        self._make = make_database

    def database(self, current=CURRENT, previous=None):
        ring = key_ring(current, previous)
        sealer = content_sealer(current, previous)
        return self._make(self._url, sealer=sealer, ownership=SecretMark(ring))

    def responses(self, current=CURRENT, previous=None):
        rows = ResponseRows(self.database(current, previous))
        return Responses(rows, self.clock)

    def resealing(self, current=CURRENT, previous=PREVIOUS):
        ring, sealer = key_ring(current, previous), content_sealer(current, previous)
        values = SealedValues(self.database(current, previous))
        return Resealing(values, sealer, SecretMark(ring), self.clock)

    def add_token(self, token_id):
        row = {
            "id": token_id,
            "kind": "api",
            "name": "n",
            "digest": bytes(32),
            "scopes": "chat",
            "created_at": self.clock.now(),
        }
        with self.database(CURRENT, PREVIOUS).transaction() as connection:
            connection.execute(api_tokens.insert().values(row))

    def audit_rows(self):
        with self.database(CURRENT, PREVIOUS).reading() as connection:
            return connection.execute(select(audit)).mappings().all()


@pytest.fixture
def house(database_url, make_database):
    return House(database_url, make_database)


def test_after_a_reseal_the_previous_secret_is_not_needed_any_more(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")

    done = house.resealing().run(ANNA)

    assert done.counts["responses.body"] == done.counts["responses.input_items"] == 1
    assert done.counts["idempotency.body"] == done.broken == 0
    assert house.responses(CURRENT).find("resp_1", "anna") == KEPT
    with pytest.raises(ServiceUnavailable, match="not the one"):
        house.responses(PREVIOUS).find("resp_1", "anna")


def test_both_secrets_are_good_until_then(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")

    assert house.responses(CURRENT, PREVIOUS).find("resp_1", "anna") == KEPT
    assert house.responses(PREVIOUS, CURRENT).find("resp_1", "anna") == KEPT


def test_the_standing_tells_how_far_it_is(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")
    resealing = house.resealing()

    before = resealing.standing()
    resealing.run(ANNA)

    assert before == Standing(0, 2, 0, has_previous=True, unused_tokens=None)
    assert before.may_forget_previous is False
    after = resealing.standing()
    assert after == Standing(2, 0, 0, has_previous=True, unused_tokens=())
    assert after.may_forget_previous is True


def test_values_of_an_unknown_secret_are_told(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")
    with house.database(PREVIOUS).transaction() as connection:
        connection.execute(text("UPDATE responses SET body = input_items"))
        junk = {"junk": b"\x01nobody's"}
        connection.execute(text("UPDATE responses SET input_items = :junk"), junk)

    done = house.resealing().run(ANNA)

    # The body is one of another column by now.
    assert (done.counts["responses.body"], done.broken) == (0, 1)
    standing = house.resealing().standing()
    assert (standing.previous, standing.unknown) == (1, 1)


def test_api_tokens_that_were_not_used_since_are_named(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")
    house.add_token("old")
    house.clock.advance(60)
    house.resealing().run(ANNA)
    house.clock.advance(60)
    house.add_token("new")
    house.resealing().run(ANNA)  # a second run does not begin to count anew

    standing = house.resealing().standing()

    assert standing.unused_tokens == ("old",)
    assert standing.may_forget_previous is False


def test_a_run_that_changes_something_leaves_one_audit_row_without_secrets(house):
    house.responses(PREVIOUS).keep(KEPT, "anna")

    house.resealing().run(ANNA)
    house.resealing().run(ANNA)

    (row,) = house.audit_rows()
    assert (row["action"], row["principal_id"]) == ("db.reseal", "cli:anna")
    assert row["object_id"] == content_sealer(CURRENT).prefixes()[0].hex()
    assert json.loads(row["details"]) == {
        "responses.body": 1,
        "responses.input_items": 1,
        "broken": 0,
    }


def test_without_a_previous_secret_nothing_is_changed(house):
    house.responses(CURRENT).keep(KEPT, "anna")

    done = house.resealing(CURRENT, None).run(ANNA)

    assert not any(done.counts.values())
    assert house.audit_rows() == []
    assert house.resealing(CURRENT, None).standing() == Standing(
        2, 0, 0, has_previous=False, unused_tokens=None
    )
