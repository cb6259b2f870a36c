"""Fragments of calls, put into an order in which no two calls are mixed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.api.tool_order import ToolOrder
from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.streams import ToolFragment


def feed_all(fragments):
    order = ToolOrder()
    told = [each for fragment in fragments for each in order.feed(fragment)]
    return told + list(order.end())


def test_calls_one_after_the_other_pass_at_once():
    order = ToolOrder()
    fragments = [
        ToolFragment(0, "a", "f", ""),
        ToolFragment(0, arguments='{"x":'),
        ToolFragment(0, arguments="1}"),
        ToolFragment(1, "b", "g", "{}"),
    ]

    assert [order.feed(each) for each in fragments] == [(each,) for each in fragments]
    assert list(order.end()) == []


def test_a_call_that_begins_within_another_waits_for_it():
    told = feed_all(
        [
            ToolFragment(0, "a", "f", '{"x":'),
            ToolFragment(1, "b", "g", '{"y"', signature="s"),
            ToolFragment(0, arguments="1}"),
            ToolFragment(1, arguments=":2}"),
        ]
    )

    assert told == [
        ToolFragment(0, "a", "f", '{"x":'),
        ToolFragment(0, arguments="1}"),
        ToolFragment(1, "b", "g", '{"y":2}', signature="s"),
    ]


def test_blanks_after_a_whole_call_are_nothing():
    told = feed_all(
        [
            ToolFragment(0, "a", "f", "{}"),
            ToolFragment(1, "b", "g", "{}"),
            ToolFragment(0, arguments=" "),
        ]
    )

    assert [each.index for each in told] == [0, 1]


def test_more_of_a_whole_call_is_a_broken_answer():
    order = ToolOrder()
    order.feed(ToolFragment(0, "a", "f", "{}"))
    order.feed(ToolFragment(1, "b", "g", ""))

    with pytest.raises(LLMProtocolError):
        order.feed(ToolFragment(0, arguments="x"))


def test_a_call_that_goes_on_after_something_else_is_a_broken_answer():
    order = ToolOrder()
    order.feed(ToolFragment(0, "a", "f", '{"x":'))
    order.interrupt()

    with pytest.raises(LLMProtocolError):
        order.feed(ToolFragment(0, arguments="1}"))


def test_a_call_that_waits_stays_whole_when_something_else_is_told():
    order = ToolOrder()
    order.interrupt()
    told = [*order.feed(ToolFragment(0, "a", "f", "{"))]
    told += order.feed(ToolFragment(1, "b", "g", '{"y"'))
    order.interrupt()
    told += order.feed(ToolFragment(1, arguments=":2}"))

    assert [*told, *order.end()] == [
        ToolFragment(0, "a", "f", "{"),
        ToolFragment(1, "b", "g", '{"y":2}'),
    ]


def test_the_next_call_passes_at_once_after_something_else():
    order = ToolOrder()
    order.feed(ToolFragment(0, "a", "f", ""))
    order.interrupt()
    next_call = ToolFragment(1, "b", "g", "{}")

    assert order.feed(next_call) == (next_call,)


@st.composite
def interleaved(draw):
    """Calls, cut anywhere, their pieces mixed; each keeps its own order."""
    calls = draw(
        st.lists(
            st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2),
            min_size=1,
            max_size=3,
        )
    )
    pending = []
    for index, arguments in enumerate(calls):
        text = json.dumps(arguments)
        cut = draw(st.integers(1, len(text) - 1))
        pending.append(
            [
                ToolFragment(index, f"id{index}", f"f{index}"),
                ToolFragment(index, arguments=text[:cut]),
                ToolFragment(index, arguments=text[cut:]),
            ]
        )
    mixed = []
    while any(pending):
        mixed.append(draw(st.sampled_from([p for p in pending if p])).pop(0))
    return calls, mixed


@given(interleaved())
def test_whatever_the_mixture_each_call_comes_whole_and_alone(case):
    calls, fragments = case

    told = feed_all(fragments)

    order = list(dict.fromkeys(each.index for each in told))
    assert [each.index for each in told] == sorted(
        (each.index for each in told), key=order.index
    )
    for index, arguments in enumerate(calls):
        own = [each for each in told if each.index == index]
        assert json.loads("".join(each.arguments for each in own)) == arguments
        assert [each.name for each in own if each.name] == [f"f{index}"]
