"""Deployments as the tests of who is asked know them: what their dialects can say."""

from dataclasses import dataclass, field


@dataclass
class FakeDialects:
    """All deployments share some dialects with callers; named ones fetch nothing."""

    shared: frozenset = frozenset()
    fetch_nothing: frozenset = field(default_factory=frozenset)

    def wires(self, deployment):
        return self.shared

    def fetches_images(self, deployment):
        return deployment.name not in self.fetch_nothing
