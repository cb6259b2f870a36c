"""Which recordings a provider must have, so that none is promised and never shown."""

import pytest
from recordings import RECORDED, build, place, read_all

from flaskllm.llm.providers import KINDS, Embedder, Lister

# Dialects of their own, and engines that we start ourselves; the others are rows.
WHOLE = ["openai", "azure", "anthropic", "gemini", "ollama", "vllm", "llamacpp"]
SHOWS = {"chat", "stream", "tools", "json", "image", "error"}
RECORDINGS = read_all()


def shown(folder):
    """Return what the recordings of a folder show: the first words of their names."""
    return {each.name.split("_")[0] for each in RECORDINGS if each.folder == folder}


@pytest.mark.parametrize("folder", WHOLE)
def test_a_dialect_is_recorded_whole(folder):
    provider = build(folder)
    needed = set(SHOWS)
    if isinstance(provider, Embedder):
        needed.add("embedding")
    if isinstance(provider, Lister):
        needed.add("models")

    assert shown(folder) >= needed


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"extractive"}))
def test_every_kind_has_a_recorded_answer_and_a_recorded_stream(kind):
    assert shown(kind) >= {"chat", "stream"}


def test_every_folder_belongs_to_a_kind():
    assert {place(each.folder).kind for each in RECORDINGS} <= set(KINDS)


def test_every_recorded_stream_is_used():
    used = {
        f"{each.folder}/{each.told['stream']}" for each in RECORDINGS if each.is_stream
    }
    there = [
        path for path in RECORDED.glob("*/*") if path.suffix in (".sse", ".ndjson")
    ]

    assert {f"{path.parent.name}/{path.name}" for path in there} == used
