"""`flaskllm maintain`: the duties that are due, for cron, a timer or a task."""

from collections.abc import Callable

import click

from flaskllm.cli.problems import problems_told
from flaskllm.services import Services
from flaskllm.services.housekeeping import Report


@click.command("maintain")
@click.option("--all", "regardless", is_flag=True, help="Do what is not due, too.")
@click.pass_obj
def maintain(services: Callable[[], Services], regardless: bool) -> None:
    """Do what is due: sweep and expire what the gateway keeps.

    Run it as often as you like, also while the server runs: each duty is done once.
    """
    with problems_told():
        reports = services().housekeeping.run(regardless=regardless)
    for report in reports:
        click.echo(f"{report.name}: {_outcome(report)}")
    failed = [report.name for report in reports if report.state == "failed"]
    if failed:
        raise click.ClickException(f"The log says why this failed: {', '.join(failed)}")


def _outcome(report: Report) -> str:
    return str(report.count) if report.state == "done" else _WORDS[report.state]


_WORDS = {"not_due": "not due", "failed": "failed"}
