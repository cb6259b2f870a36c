"""Proven API tokens: remembered for less than a second, forgotten when revoked."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import FakeClock

from flaskllm.core.auth import Scope
from flaskllm.services.proven_tokens import ProvenTokens
from flaskllm.storage.api_tokens import ApiTokenRecord

DIGEST = b"d" * 32


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def record(clock):
    scopes = frozenset({Scope.CHAT})
    return ApiTokenRecord("id", "api", "name", DIGEST, scopes, clock.now())


@pytest.fixture
def proven(clock):
    return ProvenTokens(clock)


def test_one_that_never_proved_good_is_unknown(proven):
    assert proven.get(DIGEST) is None


@pytest.mark.parametrize(("seconds", "known"), [(0.0, True), (0.8, True), (1, False)])
def test_it_is_remembered_for_less_than_a_second(proven, record, clock, seconds, known):
    proven.put(DIGEST, record)

    clock.advance(seconds)

    assert (proven.get(DIGEST) is record) is known


def test_another_digest_is_another_api_token(proven, record):
    proven.put(DIGEST, record)

    assert proven.get(b"e" * 32) is None


def test_one_that_expires_meanwhile_has_to_be_proven(proven, record, clock):
    soon = clock.now() + timedelta(milliseconds=100)
    proven.put(DIGEST, replace(record, expires_at=soon))

    clock.advance(0.2)

    assert proven.get(DIGEST) is None


def test_to_forget_means_all_of_them(proven, record):
    proven.put(DIGEST, record)

    proven.forget()

    assert proven.get(DIGEST) is None


def test_a_flood_of_them_takes_no_memory_without_end(proven, record):
    for number in range(5000):
        proven.put(number.to_bytes(32, "big"), record)

    assert proven.get((4999).to_bytes(32, "big")) is record
    assert proven.get((0).to_bytes(32, "big")) is None
