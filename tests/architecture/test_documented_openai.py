"""The page on OpenAI's dialect tells every error as the dialect's face does."""

import re

from doc_blocks import read_doc

from flaskllm.api.openai.errors import body_of, status_of
from flaskllm.core import errors

ROW = re.compile(r"\| (\d{3}) \| `(\w+)` \| `?(\w+)`? \|")


def all_errors(tree=errors.APIError):
    """Yield every error that this package tells its callers of."""
    for each in tree.__subclasses__():
        # A subclass elsewhere is told as the error that it is.
        if each.__module__ == errors.__name__:
            yield each
            yield from all_errors(each)


def told(error):
    """Return status, type and code, as a row of the page has them."""
    body = body_of(error)["error"]
    return str(status_of(error)), body["type"], body["code"] or "null"


def test_every_error_has_its_row_and_no_row_is_made_up():
    # Nobody reads what is told to a caller who is gone, and no route of this dialect
    # knows jobs.
    untold = {
        errors.CallerGone,
        errors.FetchFailed,
        errors.FetchRefused,
        errors.JobCancelled,
        errors.JobsDisabled,
        errors.NeedsFetch,
    }
    kinds = set(all_errors()) - untold

    rows = ROW.findall(read_doc("docs/openai.md"))

    assert set(rows) == {told(kind()) for kind in kinds}
    assert len(rows) == len(set(rows))
