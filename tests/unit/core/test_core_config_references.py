"""`${NAME}` stands for a variable in the file, and for itself in `.env`."""

import pytest
from config_files import only, problems, write

from flaskllm.core.config import load


class TestReferences:
    def test_a_variable_is_put_in_and_its_name_is_the_origin(self, tmp_path):
        write(tmp_path, 'server: {port: "${PORT}", host: "${HOST:-::1}"}')

        loaded = load({"PORT": "81"}, tmp_path)

        assert (loaded.settings.server.port, loaded.settings.server.host) == (81, "::1")
        assert loaded.origins["server.port"] == "flaskllm.yaml:1 through ${PORT}"

    def test_an_unset_variable_stops_the_start_and_is_the_only_complaint(
        self, tmp_path
    ):
        write(tmp_path, "server:\n  port: ${PORT}\nsecret: ${NONE}${NEITHER}\n")

        found = problems({}, tmp_path)

        assert [(each.path, each.origin) for each in found] == [
            ("server.port", "flaskllm.yaml:2"),
            ("secret", "flaskllm.yaml:3"),
            ("secret", "flaskllm.yaml:3"),
        ]
        assert "${PORT}" in found[0].found
        assert "set PORT" in found[0].allowed

    def test_the_default_also_stands_in_for_an_empty_variable(self, tmp_path):
        write(tmp_path, "log_level: ${LEVEL:-ERROR}")

        assert load({"LEVEL": ""}, tmp_path).settings.log_level == "ERROR"

    def test_a_doubled_dollar_is_a_literal(self, tmp_path):
        write(tmp_path, "server: {host: '$${X}-${X}-$X'}")

        host = load({"X": "y"}, tmp_path).settings.server.host

        assert host == "${X}-y-$X"

    @pytest.mark.parametrize("text", ["${", "${}", "${a b}", "${A:-${B}}", "${1}"])
    def test_a_broken_reference_is_a_problem(self, tmp_path, text):
        write(tmp_path, f"server: {{host: '{text}'}}")

        assert "cannot be read" in only({"A": "", "B": ""}, tmp_path).found

    def test_they_work_in_lists(self, tmp_path):
        write(tmp_path, "server: {trusted_hosts: ['${A}', b]}")

        assert load({"A": "a"}, tmp_path).settings.server.trusted_hosts == ("a", "b")

    def test_what_came_through_one_is_never_shown(self, tmp_path):
        write(tmp_path, "server: {port: '${KEY}'}")

        problem = only({"KEY": "sk-short"}, tmp_path)

        assert "sk-short" not in problem.text()
        assert "8 characters" in problem.found

    def test_a_variable_over_a_reference_is_shown_again(self, tmp_path):
        write(tmp_path, "server: {port: '${KEY}'}")

        environ = {"KEY": "1", "FLASKLLM_SERVER__PORT": "eighty"}

        assert only(environ, tmp_path).found == "'eighty'"


class TestDotenv:
    def test_a_line_that_cannot_be_read_is_named(self, tmp_path):
        write(tmp_path, "A=1\nthis is no line\nFLASKLLM_LOG_LEVEL='DEBUG\n", ".env")

        found = [problem.found for problem in problems({}, tmp_path)]

        assert found == ["line 2 cannot be read", "line 3 cannot be read"]

    def test_a_name_without_a_value_is_not_set(self, tmp_path):
        write(tmp_path, "FLASKLLM_LOG_LEVEL\n# comment\n", ".env")

        assert load({}, tmp_path).settings.log_level == "INFO"

    def test_references_in_it_are_not_replaced(self, tmp_path):
        write(tmp_path, "FLASKLLM_SERVER__HOST=${HOME}", ".env")

        assert load({"HOME": "/h"}, tmp_path).settings.server.host == "${HOME}"

    def test_it_must_be_utf_8(self, tmp_path):
        (tmp_path / ".env").write_bytes(b"A=\xff")

        assert only({}, tmp_path).found == "no UTF-8 at byte 2"

    def test_it_must_be_a_file(self, tmp_path):
        (tmp_path / ".env").mkdir()

        assert "cannot be read" in only({}, tmp_path).found

    def test_it_must_not_be_large(self, tmp_path):
        write(tmp_path, "#" * (1024 * 1024 + 1), ".env")

        assert only({}, tmp_path).found == "more than 1 MiB"
