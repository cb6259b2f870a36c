"""The address of a Redis: what may stand there, and that it is never shown."""

import pytest
from pydantic import ValidationError

from flaskllm.core.config_model import Settings
from flaskllm.wiring.secrets import secrets_of

GOOD = (
    "redis://localhost",
    "redis://:geheim@10.0.0.7:6379/3",
    "rediss://user:geheim@redis.internal:6380/0?ssl_ca_certs=/etc/ca.pem",
    "unix:///run/redis.sock?db=2",
)
BAD = {
    "localhost:6379": "none of Redis",
    "http://localhost": "none of Redis",
    "redis:/localhost": "none of Redis",
    "redis://[::1": "none of Redis",
    "redis://a:geheim@b@c": "none of Redis",
    "redis://:geheim@h/0#1": "a #",
    "redis://:gehe im@h/0": "a blank",
    "redis:///0": "without a host",
    "redis://:geheim@h/name": "no number",
    "redis://:geheim@h/0?socket_timeout=9": "unknown word",
    "redis://:geheim@h?db=1&db=2": "twice",
    "unix://run/redis.sock": "whole path",
}


@pytest.mark.parametrize("url", GOOD)
def test_these_are_taken(url):
    assert Settings(redis_url=url).redis_url.get_secret_value() == url


@pytest.mark.parametrize(("url", "found"), BAD.items(), ids=range(len(BAD)))
def test_these_are_refused_and_never_shown(url, found):
    with pytest.raises(ValidationError) as caught:
        Settings(redis_url=url)

    assert found in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_its_password_is_masked_in_the_logs():
    settings = Settings(redis_url="redis://:a%40geheim@h/0")

    assert "a@geheim" in secrets_of(settings)
    assert "geheim" not in repr(settings)
