"""A name server that fails, in a network of the test's own.

How long a name server may be silent is for the system's resolver to say
(`options timeout` in resolv.conf): here a second.
"""

from pathlib import Path

import pytest
from namespaces import make_resolver, play

SCENE = Path(__file__).with_name("name_scene.py")


@pytest.fixture(scope="module")
def resolver(tmp_path_factory) -> Path:
    """The settings of the resolver; a machine without namespaces skips."""
    return make_resolver(tmp_path_factory.mktemp("names"))


@pytest.mark.parametrize("fault", ["nxdomain", "servfail", "silence"])
def test_a_name_that_is_not_found_is_like_a_refused_connection(resolver, fault):
    record = play(SCENE, resolver, fault)

    assert record["names"] == ["upstream.test"]
    assert record["text"] == "From the spare."
    assert record["codes"] == ["LLM_UNAVAILABLE", "OK"]
    assert record["spare"] == 1
    assert record["seconds"] < 5.0
