"""Places that have documents, scripted."""

from flaskllm.net.egress import EgressReply


class FakeFetcher:
    """Answers with scripted replies, or errors; the last of them for ever."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    def fetch(self, wanted, **_limits):
        self.asked.append(wanted)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return said


def fetched(body=b"", status=200, wait=None):
    """Return what a place answers."""
    return EgressReply(status, wait, None, body)
