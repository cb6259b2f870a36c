"""An error that was kept is answered as it would have been at once."""

import pytest

from flaskllm.core import errors
from flaskllm.core.error_codes import status_of


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (errors.InternalError.code, 500),
        (errors.NotFound.code, 404),
        (errors.LLMServerError.code, 502),
        ("OF_A_NEWER_PROGRAM", 500),
    ],
)
def test_a_code_has_the_status_of_its_error(code, status):
    assert status_of(code) == status
