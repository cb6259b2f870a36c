import pytest

from flaskllm.llm.providers.openai_tools import Fragments
from flaskllm.llm.streams import ToolFragment


def fragment(index=None, identity=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    told = {"index": index, "id": identity, "function": function}
    return {key: value for key, value in told.items() if value is not None}


def read(*sent):
    fragments = Fragments()
    return [each for one in sent for each in fragments.read((one,))]


FIRST, SECOND = ToolFragment(0, "a", "f", ""), ToolFragment(1, "b", "g", "")
STREAMS = {
    "as OpenAI sends them": (
        [
            fragment(0, "a", "f", ""),
            fragment(0, arguments="{"),
            fragment(0, arguments="}"),
            fragment(1, "b", "g", ""),
        ],
        [FIRST, ToolFragment(0, arguments="{"), ToolFragment(0, arguments="}"), SECOND],
    ),
    "mixed": (
        [
            fragment(0, "a", "f"),
            fragment(1, "b", "g"),
            fragment(0, arguments="{}"),
            fragment(1, arguments="[]"),
        ],
        [
            FIRST,
            SECOND,
            ToolFragment(0, arguments="{}"),
            ToolFragment(1, arguments="[]"),
        ],
    ),
    "id and name each time": (
        [fragment(0, "a", "f", "{"), fragment(0, "a", "f", "}")],
        [ToolFragment(0, "a", "f", "{"), ToolFragment(0, arguments="}")],
    ),
    "another id each time": (
        [fragment(0, "a", "f", ""), fragment(0, "b", None, "{}")],
        [FIRST, ToolFragment(0, arguments="{}")],
    ),
    "every call the same index": (
        [fragment(0, "a", "f"), fragment(0, "b", "g"), fragment(0, arguments="{}")],
        [FIRST, SECOND, ToolFragment(1, arguments="{}")],
    ),
    "the name each time, the id once": (
        [
            fragment(0, "a", "f", ""),
            fragment(0, "", "f", "{"),
            fragment(0, "", "f", "}"),
        ],
        [FIRST, ToolFragment(0, arguments="{"), ToolFragment(0, arguments="}")],
    ),
    "no index at all": (
        [
            fragment(None, "a", "f"),
            fragment(arguments="{}"),
            fragment(None, "b", "g"),
        ],
        [FIRST, ToolFragment(0, arguments="{}"), SECOND],
    ),
    "the name after the id": (
        [fragment(0, "a", None, "{"), fragment(0, None, "f", "}")],
        [ToolFragment(0, "a", "f", "{}")],
    ),
    "the id after nothing": (
        [fragment(0, None, None, "{"), fragment(0, "a", "f", "}")],
        [ToolFragment(0, "a", "f", "{}")],
    ),
    "indexes from 3": ([fragment(3, "a", "f")], [FIRST]),
    "nothing new": ([fragment(0, "a", "f"), fragment(0)], [FIRST]),
    "no name ever": ([fragment(0, "a", None, "{}")], []),
}


@pytest.mark.parametrize(("sent", "told"), STREAMS.values(), ids=STREAMS)
def test_calls_are_told_apart_and_named_once(sent, told):
    assert read(*sent) == told


def test_a_call_without_an_id_gets_one():
    first, second = read(fragment(0, "", "f"), fragment(1, "", "g"))

    assert first.id.startswith("call_")
    assert second.id not in ("", first.id)


@pytest.mark.parametrize("index", [0, None])
def test_whole_calls_without_ids_are_told_apart(index):
    whole = [fragment(index, "", "f", '{"day":1}'), fragment(index, "", "f", "{}")]

    told = read(*whole)

    assert [(each.index, each.arguments) for each in told] == [
        (0, '{"day":1}'),
        (1, "{}"),
    ]


@pytest.mark.parametrize("call", [{"function": 7}, {"id": 7, "index": 0}, {}])
def test_what_is_no_call_tells_nothing(call):
    assert read(call) == []
