"""Whom a request may go to, and how much of it fits, before anybody is asked."""

from dataclasses import replace

import pytest
from router_scene import DIGEST, REQUEST, FakeLocal, scene

from flaskllm.core.errors import ModelNotFound
from flaskllm.llm.parts import Message
from flaskllm.llm.terms import Limits

LONG = replace(REQUEST, messages=(Message("user", "word " * 9000),))


def outlook(shown, request):
    return shown.router.outlook(request, shown.call)


def test_it_names_the_route_s_own_first_then_the_fallbacks_and_asks_nobody():
    shown = scene(offline=FakeLocal(), a=[], b=[])

    found = outlook(shown, DIGEST)

    assert [each.alias for each in found] == ["main", "b", "offline"]
    assert [each.is_local for each in found] == [False, False, True]
    assert shown.begun == []


def test_what_nobody_bounds_fits_and_is_not_counted():
    [found] = outlook(scene(a=[]), LONG)

    assert (found.fits, found.room, found.tokens) == (True, None, 0)


def test_a_deployment_without_room_is_told_with_both_sizes():
    shown = scene(a=[], limits=Limits(tokens_per_minute=1000))

    [found] = outlook(shown, LONG)

    assert (found.room.tokens, found.fits) == (1000, False)
    assert found.tokens > 9000


def test_a_name_that_is_unknown_is_refused():
    with pytest.raises(ModelNotFound):
        outlook(scene(a=[]), replace(REQUEST, model="none such"))
