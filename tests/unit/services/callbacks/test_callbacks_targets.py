"""Mail goes where the operator allows it."""

import pytest

from flaskllm.services.callbacks.targets import Recipients


@pytest.mark.parametrize(
    ("allowed", "address", "is_allowed"),
    [
        ((), "a@example.org", False),
        (("example.org",), "a@example.org", True),
        (("example.org",), "A@Example.ORG", True),
        (("example.org",), "a@in.example.org", False),
        (("example.org",), "a@badexample.org", False),
        (("example.org",), "example.org@evil.example", False),
        (("team@example.org",), "Team@example.org", True),
        (("team@example.org",), "a@example.org", False),
        (("other.example", "example.org"), "a@example.org", True),
        (("*",), "a@anywhere.example", True),
    ],
)
def test_mail_goes_to_allowed_domains_and_addresses(allowed, address, is_allowed):
    assert Recipients(frozenset(allowed)).allow(address) is is_allowed
