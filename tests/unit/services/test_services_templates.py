"""Templates are listed by name as they stand now."""

from flaskllm.llm.prompts import Library, load_library
from flaskllm.services.templates import Templates, VariableInfo


def test_every_template_is_listed_by_name_with_all_that_a_caller_needs():
    library = load_library()

    listed = Templates(lambda: library).list()

    assert [each.name for each in listed] == sorted(library.templates)
    for info in listed:
        template = library.get(info.name)
        front = template.front
        assert (info.version, info.type, info.purpose) == (
            front.version,
            front.type,
            front.purpose,
        )
        assert info.response_schema == front.response_schema
        assert info.tokens_kept_free == front.tokens_kept_free
        assert info.sha256 == template.sha256
        assert {each.name for each in info.variables} == set(front.variables)


def test_a_variable_tells_whether_it_is_needed_and_how_long_it_may_be():
    (custom,) = [
        each for each in Templates(load_library).list() if each.name == "custom"
    ]
    (schema,) = [each for each in custom.variables if each.name == "schema"]
    front = load_library().get("custom").front.variables["schema"]

    assert schema == VariableInfo(
        "schema", True, front.limit_characters, front.description
    )


def test_the_library_is_asked_anew_each_time():
    libraries = iter([load_library(), Library({})])
    templates = Templates(lambda: next(libraries))

    assert templates.list()
    assert templates.list() == ()
