"""What can be used is documented, and what is documented can be used.

The settings are held to their page in `tests/unit/cli/test_cli_config.py`.
"""

import re
from pathlib import Path

import click
import pytest
from doc_blocks import doc_files, read_doc
from source_tree import ROOT

from flaskllm.api.v1.webhook_fields import WEBHOOK_FIELDS
from flaskllm.cli import cli
from flaskllm.core import errors
from flaskllm.core.config import load
from flaskllm.core.config_kinds import KINDS
from flaskllm.factory import create_app
from flaskllm.llm.prompts import load_library
from flaskllm.llm.providers.compatible import DIALECTS
from flaskllm.storage.tables import metadata

API = "docs/api.md"
TEMPLATES = load_library().templates


def table_rows(name):
    """Return the cells of every table row of a doc, without their backticks."""
    lines = [line for line in read_doc(name).splitlines() if line.startswith("|")]
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [[cell.strip("`") for cell in row] for row in cells]


def test_every_table_and_how_long_it_is_kept():
    rows = [row for row in table_rows("docs/backup.md") if len(row) == 4]

    told = [name for row in rows for name in re.findall(r"[a-z_]+", row[1])]
    assert sorted(set(told) - {"tables"}) == sorted(metadata.tables)
    assert len(told) == len(set(told))


def all_errors(tree=errors.APIError):
    """Return every error below this one."""
    below = tree.__subclasses__()
    return [*below, *(leaf for each in below for leaf in all_errors(each))]


def all_commands(command, path):
    """Yield each command that does something, as one types it, and its options."""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from all_commands(each, f"{path} {name}")
        return
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = {p.opts[0] for p in command.params if isinstance(p, click.Option)}
    yield " ".join([path, *(p.metavar or p.name.upper() for p in arguments)]), options


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """Every route as `METHOD /path`."""
    app = create_app(load({}, tmp_path_factory.mktemp("routes")))
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_command_and_option_has_its_row_and_no_row_is_made_up():
    rows = [row for row in table_rows("docs/commands.md") if row[0].startswith("flask")]

    documented = {row[0]: set(re.findall(r"--[\w-]+", row[1])) for row in rows}
    assert documented == dict(all_commands(cli, "flaskllm"))


def test_every_route_is_documented_and_no_route_is_made_up(routes):
    told = set(
        re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[\w/.{}<>:-]*)", read_doc(API))
    )

    assert told == routes


def test_every_error_has_its_row_and_no_row_is_made_up():
    told = {
        code: (status, answers[-1])
        for code, status, *answers in table_rows(API)
        if re.fullmatch(r"[A-Z_]+ [45]\d\d", f"{code} {status}")
    }

    assert told == {
        error.code: (str(error.status), "yes" if error.retryable else "no")
        for error in all_errors()
    }


@pytest.mark.parametrize("name", sorted({*WEBHOOK_FIELDS, "prompt"}))
def test_every_field_of_the_webhook_is_documented(name):
    assert name in {row[0] for row in table_rows(API)}


def test_every_service_has_its_row_with_its_credential_address_and_json():
    rows = [row for row in table_rows("docs/models.md") if row[0] in DIALECTS]
    forms = {"json_schema": "a schema", "json_object": "any JSON"}

    assert {tuple(row[:4]) for row in rows} == {
        (kind, KINDS[kind].variable, dialect.base_url, forms[dialect.json_mode])
        for kind, dialect in DIALECTS.items()
        if dialect.needs_api_key
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_provider_is_named(kind):
    assert re.search(rf"kind: {kind}\b|`{kind}`", read_doc("docs/models.md"))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_is_described_as_it_is(name):
    rows = {row[0]: row[1:] for row in table_rows("docs/templates.md")}
    front = TEMPLATES[name].front
    variables = ", ".join(f"`{each}`" for each in front.variables).strip("`")

    assert rows[name] == [
        front.type,
        front.purpose,
        str(front.tokens_kept_free),
        variables,
    ]
    for each, variable in front.variables.items():
        required = "yes" if variable.required else "no"
        limit = str(variable.limit_characters)
        assert rows[each] == [limit, required, variable.description]


def test_the_glossary_gives_each_word_one_meaning():
    heading, rule, *rows = table_rows("docs/glossary.md")

    assert heading == ["we say", "meaning", "we do not say"]
    assert set("".join(rule)) == {"-"}
    assert {len(row) for row in rows} == {3}
    words = [word for row in rows for word in row[0].split(", ")]
    assert len(words) == len(set(words)) > 20
    assert all(row[1] for row in rows)


@pytest.mark.parametrize("name", doc_files())
def test_links_lead_to_files(name):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read_doc(name))
    folder = (ROOT / name).parent

    missing = [e for e in targets if ":" not in e and not (folder / e).exists()]
    assert missing == []


@pytest.mark.parametrize("name", doc_files())
def test_files_and_folders_that_are_named_exist(name):
    file, folder = r"(?:[\w.-]+/)+[\w.-]+\.(?:py|md|ya?ml|eml|vtt)", r"flaskllm/[\w/]*/"
    named = re.findall(rf"`({file}|{folder})`", read_doc(name))

    # Within the package a path may count from there.
    places = {path: (ROOT / path, ROOT / "flaskllm" / path) for path in named}
    assert [p for p, both in places.items() if not any(map(Path.exists, both))] == []
