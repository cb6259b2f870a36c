"""What is public is explained, and the explanation fits."""

import ast
import re

from source_tree import assigned_names, package_files, public_definitions


def test_every_module_has_one():
    bare = [f.path for f in package_files() if not ast.get_docstring(f.tree)]

    assert bare == []


def test_every_public_class_and_function_has_one():
    bare = [
        f"{file.path}: {name}"
        for file in package_files()
        for name, node in public_definitions(file.tree)
        if not ast.get_docstring(node)
    ]

    assert bare == []


def test_args_are_the_function_s_own_and_repeat_no_type():
    wrong = [
        f"{file.path}: {name}: {told}"
        for file in package_files()
        for name, node in public_definitions(file.tree)
        for told in told_arguments(node)
        if told not in own_arguments(node)
    ]

    assert wrong == []


def test_what_is_raised_is_an_error():
    wrong = [
        f"{file.path}: {name}: {told}"
        for file in package_files()
        for name, node in public_definitions(file.tree)
        for told in told_entries(node, "Raises")
        if not re.fullmatch(r"[A-Za-z_.]*[A-Z]\w+", told)
    ]

    assert wrong == []


def own_arguments(node):
    """Return the names that the docstring may tell about: arguments or fields."""
    if isinstance(node, ast.ClassDef):
        return set(assigned_names(node))
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each]
    return {each.arg for each in every}


def told_arguments(node):
    """Yield the names under `Args:`; a repeated type spoils its name."""
    return told_entries(node, "Args")


def told_entries(node, section):
    """Yield the names that a docstring's section explains."""
    text = ast.get_docstring(node) or ""
    match = re.search(rf"^{section}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    lines = match[1].splitlines() if match else ()
    return [line.partition(":")[0].strip() for line in lines if line[4:5].strip()]
