"""`flaskllm audit`: who changed what, when, from where."""

import json
from collections.abc import Callable

import click

from flaskllm.api.v1.audit import audit_data
from flaskllm.cli.problems import problems_of_words_told
from flaskllm.cli.table import table_lines
from flaskllm.services import Services
from flaskllm.services.audit import AuditEntry, WantedRows

_HEADINGS = ("TIME", "WHO", "FROM", "ACTION", "OBJECT", "DETAILS")
_LONGEST_DETAILS = 120

Obtain = Callable[[], Services]


@click.command("audit")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="At most so many, the latest first.",
)
@click.option("--action", default="", help="How the action begins: token. or override.")
@click.option("--object", "object_id", default="", help="What was changed: an id.")
@click.option("--principal", default="", help="Who: an id, or cli:USER.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def audit(
    services: Obtain,
    limit: int,
    action: str,
    object_id: str,
    principal: str,
    as_json: bool,
) -> None:
    """Show who changed what, the latest first."""
    with problems_of_words_told():
        wanted = WantedRows(action, object_id, principal)
        found = services().audit.page(limit, wanted)
    if as_json:
        data = [audit_data(entry).model_dump(mode="json") for entry in found]
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    for line in table_lines([_HEADINGS, *map(_cells, found)]):
        click.echo(line)


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    details = json.dumps(dict(entry.details)) if entry.details else "-"
    cut = details[:_LONGEST_DETAILS]
    cells = (
        entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        entry.principal_id,
        entry.peer or "-",
        entry.action,
        entry.object_id,
        cut if cut == details else f"{cut}…",
    )
    # A name of the system may hold anything; it goes to a terminal.
    return tuple("".join(sign for sign in cell if sign.isprintable()) for cell in cells)
