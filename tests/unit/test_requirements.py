"""What a machine lacks skips a test, and fails it where it is required."""

import pytest
from requirements import require


@pytest.mark.parametrize("listed", ["", "samples", "uwsgi-core"])
def test_it_is_a_skip_with_its_reason(monkeypatch, listed):
    monkeypatch.setenv("FLASKLLM_TEST_REQUIRE", listed)

    with pytest.raises(pytest.skip.Exception, match="install it"):
        require("uwsgi", "install it")


@pytest.mark.parametrize("listed", ["uwsgi", "samples,uwsgi", "samples, uwsgi"])
def test_it_is_a_failure_where_it_is_listed(monkeypatch, listed):
    monkeypatch.setenv("FLASKLLM_TEST_REQUIRE", listed)

    with pytest.raises(pytest.fail.Exception, match="uwsgi: install it"):
        require("uwsgi", "install it")
