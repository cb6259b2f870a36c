"""The shape of the code: sizes, imports, names. The rest is in `architecture/`."""

import ast
import textwrap
import tomllib

import pytest
from import_graph import find_cycles, find_imports, find_upward, within
from source_tree import (
    PACKAGE,
    ROOT,
    as_source,
    assigned_names,
    definitions,
    length,
    nesting,
    package_files,
    python_files,
)

FILE_SOFT, FILE_HARD = 250, 400
CLASS_HARD, FUNCTION_HARD, NESTING_HARD = 300, 50, 4

# A file of the package may pass the soft cap when it is one idea; here is which.
ABOVE_SOFT_CAP = {
    "flaskllm/llm/providers/openai_stream.py": "one reader, passing on or translating",
    "flaskllm/inputs/mime.py": "a mail is cut, and its cost bounded, in one place",
    "flaskllm/services/digests/pipeline.py": "the one pipeline, from bytes to a digest",
    "flaskllm/services/jobs/runs.py": "one attempt of a job, from its begin to its end",
    "flaskllm/llm/types.py": "the canonical form, in one place",
    "flaskllm/api/openapi.py": "one description of the API, read from top to bottom",
    "flaskllm/core/errors.py": "the one tree of errors",
    "flaskllm/core/upstream_counts.py": "one arithmetic, which a script repeats",
    "flaskllm/llm/health/registry.py": "all that is asked and told of deployments",
    "flaskllm/llm/health/deployment_health.py": "one state under one lock",
    "flaskllm/llm/router.py": "the one loop of attempts",
    "flaskllm/storage/database.py": "a database's connections, from first to last",
    "flaskllm/storage/postgres.py": "all that is PostgreSQL's own of a store",
    "flaskllm/storage/tables.py": "the tables of one schema, as a list",
    "flaskllm/storage/budgets.py": "a budget and how it stands, for one transaction",
    "flaskllm/services/budget_keeping.py": "the use cases of one noun",
    "flaskllm/api/v1/budgets.py": "the routes of one noun, and what they answer",
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
GLOBALS = {"db", "client", "app"}

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]["contracts"]
FLOORS = tuple(
    tuple(room.strip() for room in floor.split("|"))
    for contract in CONTRACTS
    if contract["type"] == "layers"
    for floor in contract["layers"]
)
FORBIDDEN = [each for each in CONTRACTS if each["type"] == "forbidden"]


@pytest.fixture(scope="module")
def imports():
    return find_imports(package_files())


class TestSizes:
    def test_no_file_passes_the_hard_cap(self):
        too_long = {f.path: f.lines for f in python_files() if f.lines > FILE_HARD}

        assert too_long == {}

    def test_a_file_above_the_soft_cap_says_why(self):
        above = {file.path for file in package_files() if file.lines > FILE_SOFT}

        assert above == set(ABOVE_SOFT_CAP)

    def test_no_class_and_no_function_passes_its_cap(self):
        too_long = [
            f"{file.path}: {node.name} has {length(node)} lines"
            for file in python_files()
            for node in definitions(file.tree)
            if length(node)
            > (CLASS_HARD if isinstance(node, ast.ClassDef) else FUNCTION_HARD)
        ]

        assert too_long == []

    def test_no_function_nests_deeper_than_four_blocks(self):
        too_deep = [
            f"{file.path}: {node.name} nests {nesting(node)} blocks"
            for file in python_files()
            for node in definitions(file.tree)
            if nesting(node) > NESTING_HARD
        ]

        assert too_deep == []

    @pytest.mark.parametrize(
        ("body", "depth"),
        [
            pytest.param("return 1", 0, id="none"),
            pytest.param("if a:\n  pass\nelif b:\n  pass\nelse:\n  pass", 1, id="elif"),
            pytest.param("if a:\n  pass\nelse:\n  if b:\n    pass", 2, id="else if"),
            pytest.param("for a in b:\n  with c:\n    while d:\n      pass", 3, id="3"),
            pytest.param("try:\n  pass\nexcept E:\n  if a:\n    pass", 2, id="except"),
            pytest.param("def g():\n  if a:\n    pass", 0, id="inner function"),
        ],
    )
    def test_blocks_are_counted_as_they_stand_on_the_page(self, body, depth):
        source = as_source("f.py", "def f():\n" + textwrap.indent(body, "  "))

        assert nesting(source.tree.body[0]) == depth


class TestImports:
    def test_no_modules_import_each_other(self, imports):
        own = [each for each in imports if within(each.imported, PACKAGE)]

        assert find_cycles(each for each in own if not each.late) == []

    def test_only_the_package_itself_and_its_start_import_our_code_late(self, imports):
        late = [e for e in imports if e.late and within(e.imported, PACKAGE)]

        assert {each.importer for each in late} == {PACKAGE, f"{PACKAGE}.__main__"}

    def test_imports_run_downward_only(self, imports):
        assert find_upward(imports, FLOORS) == []

    def test_every_module_lives_on_a_floor(self):
        rooms = [room for floor in FLOORS for room in floor]
        outside = {f.module for f in package_files() if not within(f.module, *rooms)}

        assert outside == {PACKAGE, f"{PACKAGE}.__main__"}

    @pytest.mark.parametrize("contract", FORBIDDEN, ids=lambda each: each["name"])
    def test_a_room_imports_nothing_that_is_forbidden_there(self, imports, contract):
        forbidden = [
            each
            for each in imports
            if within(each.importer, *contract["source_modules"])
            and within(each.imported, *contract["forbidden_modules"])
        ]

        assert forbidden == []

    @pytest.mark.parametrize(
        ("importer", "statement", "allowed"),
        [
            pytest.param("services/a", "import flaskllm.llm.b", True, id="down"),
            pytest.param("llm/b", "import flaskllm.llm.c", True, id="own room"),
            pytest.param("llm/b", "import requests", True, id="somebody else's"),
            pytest.param("llm/b", "import flaskllm.services.a", False, id="up"),
            pytest.param("llm/b", "from flaskllm import services", False, id="from"),
            pytest.param("llm/b", "import flaskllm.inputs.d", False, id="beside"),
            pytest.param(
                "core/e", "def f():\n  import flaskllm.net.g", False, id="late"
            ),
            pytest.param(
                "core/e",
                "if TYPE_CHECKING:\n  import flaskllm.net.g\nelse:\n  import os",
                True,
                id="for type checkers",
            ),
        ],
    )
    def test_an_upward_import_is_found(self, importer, statement, allowed):
        sources = [
            as_source(f"flaskllm/{importer}.py", statement),
            as_source("flaskllm/services/__init__.py", ""),
        ]

        assert (find_upward(find_imports(sources), FLOORS) == []) is allowed

    def test_a_cycle_is_found(self):
        sources = [
            as_source("a.py", "import b"),
            as_source("b.py", "from c import d"),
            as_source("c/__init__.py", ""),
            as_source("c/d.py", "import a, e"),
            as_source("e.py", ""),
        ]

        assert find_cycles(find_imports(sources)) == [["a", "b", "c.d"]]


class TestNames:
    def test_no_name_of_a_file_or_folder_says_nothing(self):
        parts = {part for f in python_files() for part in f.module.lower().split(".")}

        assert {w for part in parts for w in part.split("_")} & VAGUE == set()

    def test_no_class_is_a_helper(self):
        ends = tuple(word.capitalize() for word in VAGUE)
        named = [
            f"{file.path}: {node.name}"
            for file in package_files()
            for node in definitions(file.tree)
            if isinstance(node, ast.ClassDef) and node.name.endswith(ends)
        ]

        assert named == []

    def test_no_module_holds_an_application_or_a_connection(self):
        held = [
            f"{file.path}: {name}"
            for file in package_files()
            for name in assigned_names(file.tree)
            if name.lower().strip("_") in GLOBALS
        ]

        assert held == []

    def test_no_function_changes_its_module(self):
        changed = [
            f"{file.path}:{node.lineno}"
            for file in package_files()
            for node in ast.walk(file.tree)
            if isinstance(node, ast.Global)
        ]

        assert changed == []
