"""Spans of time as people type them: `90s`, `30m`, `24h`, `7d`."""

import re

import click

_SPAN = re.compile(r"(?P<count>\d{1,8})(?P<unit>[smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    """Return the seconds of a span; without a unit they are seconds already.

    Raises:
        click.BadParameter: The value is none.
    """
    found = _SPAN.fullmatch(value)
    if found is None or not value.isascii():
        raise click.BadParameter(f"{value!r} is not like 90s, 30m, 24h or 7d.")
    return int(found["count"]) * _SECONDS[found["unit"]]
