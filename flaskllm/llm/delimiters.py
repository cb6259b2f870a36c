"""What keeps untrusted text apart in a prompt: a word that it cannot know."""

from collections.abc import Callable

from flaskllm.core.ids import random_base62


def fresh_delimiter(text: str, draw: Callable[[int], str] = random_base62) -> str:
    """Draw 16 base62 characters (95 bits) that do not occur in the text."""
    while (delimiter := draw(16)) in text:
        pass
    return delimiter


def enclose(source: str, delimiter: str) -> str:
    """Return the text between two lines that hold the delimiter."""
    return f"<<<{delimiter}\n{source}\n{delimiter}>>>"
