"""One way to every provider, and one purse for all of them."""

import contextlib
import os
from collections.abc import Iterator

import pytest
from places import CAP_VARIABLE, PRESENT, Live, Purse, reach

from flaskllm.core.config import read_proxies
from flaskllm.net.transport import Transport


@pytest.fixture(scope="session")
def purse() -> Purse:
    """What may be spent by all tests together."""
    return Purse(float(os.environ[CAP_VARIABLE]))


@pytest.fixture(scope="session")
def transport() -> Iterator[Transport]:
    """The project's own client."""
    made = Transport(
        pool_size=2,
        connect_timeout_seconds=10.0,
        proxies=read_proxies().for_url,
        ca_bundle=None,
    )
    with contextlib.closing(made):
        yield made


@pytest.fixture(scope="session", params=PRESENT)
def live(request: pytest.FixtureRequest, transport: Transport) -> Live:
    """Each provider in turn whose credential or URL is set."""
    return reach(request.param, transport)
