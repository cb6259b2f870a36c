"""How a command tells that it failed."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from flaskllm.core.errors import APIError, InvalidInputError


@contextmanager
def problems_told() -> Iterator[None]:
    """End the command with status 1 and the error's own words on stderr.

    Raises:
        click.ClickException: One of our errors was raised inside, or an argument is
            no text that a database could be asked for.
    """
    try:
        yield
    except APIError as error:
        text = " ".join(filter(None, (error.message, error.details)))
        raise click.ClickException(text) from error
    except UnicodeEncodeError as error:
        raise click.ClickException("An argument is not readable as UTF-8.") from error


@contextmanager
def problems_of_words_told() -> Iterator[None]:
    """Do the same for a command whose words alone say what is asked for.

    So what is not allowed is one of them, and ends it with status 2.

    Raises:
        click.ClickException: As `problems_told`.
    """
    with problems_told():
        try:
            yield
        except InvalidInputError as error:
            raise click.UsageError(error.details or error.message) from error
