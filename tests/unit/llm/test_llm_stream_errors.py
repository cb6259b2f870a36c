"""An error in the midst of a stream: what came with it counts, and the finish too."""

import pytest
from stream_scene import RAW, REQUEST, LineProvider, stream_scene

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.retry import Policy
from flaskllm.llm.streams import Chunk

WHOLE = [b"text:On \n", b"text:Friday.\n", b"finish:stop\nusage:12,5\n", b"done\n"]
ONCE = Policy(retries=0)


def texts(answer):
    return [piece.text for piece in answer if isinstance(piece, Chunk) and piece.text]


def test_an_error_in_the_bytes_of_the_first_token_is_a_fallback_nobody_notices():
    shown = stream_scene(a=[[b"text:On \nerror\n"]], b=[WHOLE])

    answer = shown.stream()

    assert answer.deployment.name == "b"
    assert texts(answer) == ["On ", "Friday."]
    assert shown.codes == ["LLM_UNAVAILABLE", "OK"]


def test_what_came_before_an_error_in_the_same_bytes_is_passed_on():
    shown = stream_scene(policy=ONCE, a=[[WHOLE[0], b"text:Fri\nerror\ntext:x\n"]])
    answer = iter(shown.stream())

    assert [next(answer).text for _ in range(2)] == ["On ", "Fri"]
    with pytest.raises(LLMUnavailable):
        list(answer)


LATE_ERRORS = {
    "in the same bytes": [b"text:x\nfinish:stop\nerror\n"],
    "in bytes of its own": [b"text:x\nfinish:stop\n", b"error\n"],
    "after the usage": [b"text:x\n", b"finish:stop\n", b"usage:3,4\nerror\n"],
}


@pytest.mark.parametrize("request_", [REQUEST, RAW], ids=["chunks", "bytes"])
@pytest.mark.parametrize("steps", LATE_ERRORS.values(), ids=LATE_ERRORS)
def test_no_error_after_the_finish_takes_from_the_answer(steps, request_):
    shown = stream_scene(a=[steps])

    heard = list(shown.stream(request_))

    assert heard[0] in (Chunk(text="x"), b"text:x\n")
    assert shown.codes == ["OK"]


def test_an_error_breaks_a_dialect_without_an_end_mark_after_the_finish_too():
    provider = LineProvider(may_go_on=True)
    steps = [b"text:a\nfinish:stop\n", b"text:b\nerror\n"]
    shown = stream_scene(provider=provider, a=[steps])

    with pytest.raises(LLMUnavailable):
        list(shown.stream())

    assert shown.codes == ["LLM_UNAVAILABLE"]
