"""`flaskllm cache clear`: what is named, or everything."""

import pytest
from click.testing import CliRunner

from flaskllm.cli import cli


@pytest.mark.parametrize("name", ["--alias", "--template", "--token"])
def test_a_variable_of_the_shell_that_is_not_set_clears_nothing(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(cli, ["cache", "clear", name, ""])

    assert told.exit_code == 2
    assert "leave the option out to clear all" in told.stderr
    assert list(tmp_path.iterdir()) == []
