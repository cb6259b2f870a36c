"""Prompt templates: what a file must be, what a request makes of it, the lock."""

import hashlib
import json
import re
from importlib import resources
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from templates_lock import find_unraised, pin, read_lock, renew

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.prompts import (
    Library,
    TemplateError,
    fresh_delimiter,
    load_library,
    parse_template,
)

FILE = """\
---
name: keywords
version: 3
type: keywords
purpose: The words that a text is about.
response_schema: keywords
tokens_kept_free: 800
variables:
  language: {limit_characters: 5, required: true, description: ISO 639-1.}
  tone: {limit_characters: 9, default: calm, description: How it sounds.}
  extra: {limit_characters: 30, description: What else.}
---
# System
Speak {{language}}, {{tone}}.
# User
{{extra}}
{{source}}
"""
BUILT_IN = load_library()


@pytest.fixture
def template():
    return parse_template(FILE, "keywords.md")


class TestFile:
    def test_front_matter_and_the_two_texts_are_read(self, template):
        assert template.front.name == "keywords"
        assert template.front.version == 3
        assert template.front.tokens_kept_free == 800
        assert template.front.variables["tone"].default == "calm"
        assert template.system == "Speak {{language}}, {{tone}}."
        assert template.user == "{{extra}}\n{{source}}"

    def test_the_hash_is_over_the_whole_file(self, template):
        assert template.sha256 == hashlib.sha256(FILE.encode()).hexdigest()

    @pytest.mark.parametrize(
        ("found", "put", "told"),
        [
            pytest.param("# User", "# Human", "`# User`", id="no user text"),
            pytest.param("# System", "# Sys", "`# System`", id="no system text"),
            pytest.param("---\nname", "name", "`---`", id="no front matter"),
            pytest.param("version: 3", "version: 0", "version", id="version below 1"),
            pytest.param("version: 3\n", "", "version", id="no version"),
            pytest.param("version: 3", "version: [", "front matter", id="no YAML"),
            pytest.param("name: keywords", "name: K!", "name", id="no name"),
            pytest.param("type:", "kind: x\ntype:", "kind", id="unknown key"),
            pytest.param("limit_characters: 5", "limit_characters: 0", "limit", id="0"),
            pytest.param("{{tone}}", "{{mood}}", "undeclared: mood", id="undeclared"),
            pytest.param("{{tone}}", "{{source}}", "`# User`", id="source in system"),
            pytest.param("{{source}}", "", "put {{source}} under", id="no source"),
            pytest.param("{{tone}}", "{{Tone}}", "undeclared: Tone", id="capital"),
            pytest.param("{{tone}}", "{{ tone }}", "undeclared:  tone ", id="blanks"),
            pytest.param("{{tone}}", "{{}}", "undeclared: ", id="nothing"),
            pytest.param("{{tone}}", "{{to\nne}}", "undeclared: to", id="two lines"),
            pytest.param("tone: {", "Tone: {", "variables.Tone", id="capital name"),
        ],
    )
    def test_a_file_that_is_wrong_is_named_with_the_mend(self, found, put, told):
        assert found in FILE

        with pytest.raises(TemplateError, match=re.escape(told)) as caught:
            parse_template(FILE.replace(found, put), "mine.md")
        assert str(caught.value).startswith("mine.md: ")

    def test_only_a_repair_may_do_without_a_source(self):
        text = FILE.replace("{{source}}", "").replace("type: keywords", "type: repair")

        assert parse_template(text, "mine.md").front.type == "repair"


class TestFolder:
    def test_two_files_of_one_name_are_told(self, tmp_path):
        for name in ("a.md", "b.md"):
            (tmp_path / name).write_text(FILE.replace("name: keywords", "name: mine"))

        with pytest.raises(TemplateError, match=r"^b\.md: a\.md has the name 'mine'"):
            load_library(tmp_path)

    @pytest.mark.parametrize(
        ("make", "told"),
        [
            pytest.param(
                lambda path: path.write_bytes(b"---\n\xff"),
                "no UTF-8 at byte 4",
                id="8",
            ),
            pytest.param(lambda path: path.mkdir(), "cannot be read", id="folder"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_named(self, tmp_path, make, told):
        make(tmp_path / "mine.md")

        with pytest.raises(TemplateError, match=rf"^mine\.md: .*{told}"):
            load_library(tmp_path)


class TestRendering:
    def test_values_stand_where_their_names_stood(self, template):
        system, user = template.render({"language": "de", "extra": "Be brief."}, "Hi")

        assert (system.role, user.role) == ("system", "user")
        assert system.content == "Speak de, calm."
        assert user.content.startswith("Be brief.\n<<<")

    def test_an_empty_value_counts_as_absent(self, template):
        system, _ = template.render({"language": "de", "tone": ""}, "Hi")

        assert system.content == "Speak de, calm."

    def test_a_value_of_exactly_the_limit_is_taken(self, template):
        system, _ = template.render({"language": "de-AT"}, "Hi")

        assert system.content == "Speak de-AT, calm."

    @pytest.mark.parametrize(
        ("variables", "path", "problem"),
        [
            ({}, "variables.language", "is missing"),
            ({"language": ""}, "variables.language", "is missing"),
            ({"language": "german"}, "variables.language", "has 6 characters"),
            ({"language": "de", "mood": "x"}, "variables.mood", "is unknown"),
            ({"language": "de", "source": "x"}, "variables.source", "is unknown"),
        ],
    )
    def test_a_wrong_variable_is_named(self, template, variables, path, problem):
        with pytest.raises(InvalidInputError) as caught:
            template.render(variables, "Hi")

        (field,) = caught.value.fields
        assert (field.path, field.problem) == (path, problem)
        assert field.allowed

    def test_a_template_without_variables_takes_none(self):
        bare = "---\nname: bare\nversion: 1\ntype: x\npurpose: p\nresponse_schema: s\n"
        bare += "tokens_kept_free: 1\n---\n# System\nA\n# User\n{{source}}"

        with pytest.raises(InvalidInputError) as caught:
            parse_template(bare, "bare.md").render({"tone": "x"}, "Hi")

        assert caught.value.fields[0].allowed == "none"

    def test_a_value_that_looks_like_a_placeholder_stays_what_it_is(self, template):
        variables = {"language": "de", "extra": "{{tone}} {{source}}"}

        _, user = template.render(variables, "{{language}}")

        assert user.content.startswith("{{tone}} {{source}}\n")
        assert "\n{{language}}\n" in user.content

    @given(st.text(max_size=200))
    def test_untrusted_text_stands_whole_between_a_delimiter_it_lacks(self, source):
        _, user = BUILT_IN.get("keywords").render({"language": "en"}, source)

        match = re.search(r"<<<(\w{16})\n(.*)\n(\w{16})>>>\Z", user.content, re.DOTALL)
        assert match is not None
        assert match[1] == match[3]
        assert match[2] == source
        assert match[1] not in source

    def test_each_request_has_its_own_delimiter(self, template):
        made = {template.render({"language": "de"}, "Hi")[1].content for _ in range(20)}

        assert len(made) == 20

    def test_a_delimiter_that_the_text_holds_is_drawn_again(self):
        drawn = chain(["guessed", "guessed"], repeat("fresh"))

        assert fresh_delimiter("I guessed it", lambda _: next(drawn)) == "fresh"


class TestLibrary:
    def test_an_unknown_template_is_refused_with_those_that_exist(self, template):
        library = Library({"keywords": template, "summary": template})

        with pytest.raises(
            InvalidInputError, match="The request is not valid"
        ) as caught:
            library.get("poem")

        assert caught.value.fields[0].allowed == "keywords, summary"

    def test_the_operators_folder_overrides_and_adds(self, tmp_path):
        (tmp_path / "any.md").write_text(FILE)
        (tmp_path / "new.md").write_text(FILE.replace("name: keywords", "name: mine"))
        (tmp_path / "notes.txt").write_text("no template")

        library = load_library(tmp_path)

        assert library.get("keywords").front.version == 3
        assert library.get("mine").front.type == "keywords"
        assert library.templates.keys() == BUILT_IN.templates.keys() | {"mine"}

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (("language", "tongue"), "declare the variables language too"),
            (("type: keywords", "type: summary"), "keep type 'keywords'"),
            (("response_schema: keywords", "response_schema: x"), "response_schema"),
        ],
        ids=["variable", "type", "schema"],
    )
    def test_an_override_that_cannot_take_our_place_is_refused(
        self, tmp_path, change, complaint
    ):
        folder = resources.files("flaskllm.llm") / "templates"
        ours = (folder / "keywords.md").read_text("utf-8")
        (tmp_path / "keywords.md").write_text(re.sub(*change, ours))

        with pytest.raises(TemplateError, match=complaint):
            load_library(tmp_path)

    def test_a_folder_that_is_missing_is_named(self, tmp_path):
        with pytest.raises(
            TemplateError, match=r"templates_dir: .*nowhere is no folder"
        ):
            load_library(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", sorted(BUILT_IN.templates))
    def test_each_built_in_template_can_be_rendered(self, name):
        template = BUILT_IN.get(name)
        needed = {
            n: "x" for n, each in template.front.variables.items() if each.required
        }

        system, user = template.render(needed, "Hello.")

        assert "{{" not in system.content + user.content
        assert ("\nHello.\n" in user.content) is ("{{source}}" in template.user)


class TestLock:
    def test_it_holds_every_built_in_template_as_it_is(self):
        told = "a changed text needs a raised `version`, then `make lock-templates`"

        assert read_lock() == pin(BUILT_IN), told

    @pytest.mark.parametrize(
        ("version", "sha256", "unraised"),
        [
            pytest.param(1, "a", [], id="unchanged"),
            pytest.param(2, "b", [], id="raised"),
            pytest.param(1, "b", ["mail"], id="not raised"),
            pytest.param(0, "b", ["mail"], id="lowered"),
        ],
    )
    def test_a_changed_text_needs_a_higher_version(self, version, sha256, unraised):
        before = {"mail": {"version": 1, "sha256": "a"}, "gone": {}}
        now = {"mail": {"version": version, "sha256": sha256}, "new": {}}

        assert list(find_unraised(before, now)) == unraised

    def test_it_is_renewed_only_when_every_version_was_raised(self, tmp_path, template):
        lock = tmp_path / "templates.lock"
        edited = parse_template(FILE.replace("Speak", "Talk"), "keywords.md")

        assert renew(lock, Library({"keywords": template})) == ()
        assert renew(lock, Library({"keywords": edited})) == ("keywords",)
        assert json.loads(lock.read_text())["keywords"] == {
            "version": 3,
            "sha256": template.sha256,
        }
