"""Each request gives housekeeping a chance, once its answer is out."""

import pytest


@pytest.mark.parametrize("path", ["/api/v1/health", "/no/such/address"])
def test_the_chance_comes_when_the_answer_is_out(client, services, path):
    reply = client.get(path)

    assert services.housekeeping.chances == 0
    reply.close()
    assert services.housekeeping.chances == 1
