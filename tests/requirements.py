"""What a machine may lack, and whether that is a skip or a failure."""

import os
from typing import NoReturn

import pytest


def require(name: str, reason: str) -> NoReturn:
    """Skip the test for what the machine lacks, or fail it where that is required.

    `FLASKLLM_TEST_REQUIRE` lists the names, parted by commas, that must be there.
    """
    required = os.environ.get("FLASKLLM_TEST_REQUIRE", "").split(",")
    if name in (each.strip() for each in required):
        pytest.fail(f"FLASKLLM_TEST_REQUIRE lists {name}: {reason}")
    pytest.skip(reason)
