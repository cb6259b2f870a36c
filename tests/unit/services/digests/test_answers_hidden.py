"""An error about an answer names what is wrong, never what the answer says."""

import pytest
from pydantic import ValidationError

from flaskllm.services.digests.answers import KeywordsAnswer, SentimentAnswer


@pytest.mark.parametrize("kind", [KeywordsAnswer, SentimentAnswer])
def test_an_error_never_quotes_the_answer(kind):
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({"keywords": {"a": "geheim"}, "sentiment": "geheim"})

    assert "geheim" not in str(caught.value)
