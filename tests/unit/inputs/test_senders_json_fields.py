"""The JSON of mail senders is read within the bounds of all JSON."""

import pytest

from flaskllm.inputs.senders.json_fields import read_json, read_object, text_at
from flaskllm.inputs.senders.types import SenderRefusedError


@pytest.mark.parametrize(
    "body",
    [b"[" * 65 + b"]" * 65, b"[" * 100_000, b'{"a": NaN}', b'{"a": Infinity}', b"{"],
    ids=["too deep", "far too deep", "no number", "no end", "broken"],
)
def test_what_is_refused_elsewhere_is_refused_here(body):
    with pytest.raises(SenderRefusedError) as refused:
        read_json(body)

    assert refused.value.why == "malformed"


def test_half_of_a_surrogate_pair_is_read_as_a_mail_may_hold_it():
    assert text_at(read_object(rb'{"Subject": "a \ud800 b"}'), "Subject") == "a ? b"
