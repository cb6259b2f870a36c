"""The way out in a network of the test's own, where every address is a canary."""

import shutil
from pathlib import Path

import pytest
from egress_scene import INSIDE, INSIDE6, PUBLIC, SPELT
from hostile_urls import HOSTILE, NAMES
from namespaces import make_resolver, play
from requirements import require

SCENE = Path(__file__).with_name("egress_scene.py")
REFUSED = {
    *("url_characters", "url_malformed", "url_scheme", "url_user_info", "url_host"),
    *("url_host_not_ascii", "url_port", "url_fragment", "url_too_long"),
    "blocked_destination",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    if shutil.which("ip") is None:
        require("namespaces", "ip is missing")
    return play(SCENE, make_resolver(tmp_path_factory.mktemp("egress")))


def test_the_canaries_notice_whoever_calls(seen):
    spelt = ["127.0.0.1"] * len(SPELT)

    assert seen["plainly"] == [*INSIDE, *INSIDE6, *spelt, PUBLIC]
    assert seen["allowed"] == ["204", "10.1.2.3"]


def test_no_hostile_url_reaches_one(seen):
    assert len(HOSTILE) >= 120
    assert len(NAMES) >= 10
    assert seen["hits"] == []
    assert set(seen["hostile"]) == REFUSED


def test_another_name_for_localhost_reaches_none(seen):
    assert seen["alias"] == "blocked_destination"


def test_a_name_that_moves_inside_is_looked_up_once_and_checked_each_time(seen):
    assert seen["asked"] == 1
    assert seen["rebinding"] == ["204", *["blocked_destination"] * 2]
    assert seen["rebinding hits"] == [PUBLIC]
