"""`flaskllm demo`: a mail and a meeting through the real server, then nothing left."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import requests

from flaskllm.cli.actors import cli_actor
from flaskllm.cli.show import show
from flaskllm.core.auth import Scope
from flaskllm.core.config import Loaded, Settings, load, process_environment
from flaskllm.services.grants import Grant
from flaskllm.wiring import build_services

_SAMPLES = Path(__file__).parent / "samples"
_DOCUMENTS = (
    ("A mail", "mail.eml", "message/rfc822"),
    ("A meeting", "meeting.vtt", "text/vtt"),
)
# The demo's documents say "Friday": that Friday, whenever the demo is run.
_REFERENCE_TIME = "2026-10-05T09:30:00+02:00"
_START_SECONDS = 30.0
_ANSWER_SECONDS = 320.0


@click.command()
def demo() -> None:
    """Digest a sample mail and a sample meeting over HTTP, and stop again."""
    with tempfile.TemporaryDirectory(prefix="flaskllm-demo-") as folder:
        environment = _environment(Path(folder))
        loaded = load(environment, Path.cwd())
        token = _make_token(loaded)
        _tell_model(loaded.settings)
        with _server(environment, loaded.settings.server.port) as url:
            for title, name, media_type in _DOCUMENTS:
                _show(title, _digest(url, token, name, media_type))
    _tell_how_to_repeat()


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment with a fresh place and a free port."""
    own = {
        "FLASKLLM_DATA_DIR": str(folder),
        "FLASKLLM_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "FLASKLLM_SERVER__HOST": "127.0.0.1",
        "FLASKLLM_SERVER__PORT": str(_free_port()),
        "FLASKLLM_SERVER__REQUIRE_HTTPS": "false",
        "FLASKLLM_SERVER__TRUSTED_HOSTS": "127.0.0.1",
        "FLASKLLM_LOG_FILE": str(folder / "demo.log"),
        "FLASKLLM_LOG_LEVEL": "ERROR",
    }
    return {**process_environment(), **own}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _make_token(loaded: Loaded) -> str:
    services = build_services(loaded)
    grant = Grant("demo", frozenset({Scope.WEBHOOK}))
    token = services.api_tokens.create(grant, actor=cli_actor())
    services.database.close()
    return token.text


def _tell_model(settings: Settings) -> None:
    if settings.providers:
        click.echo(f"Asking your model ({', '.join(settings.providers)}).")
        return
    click.echo(
        "No model is configured, so the built-in `extractive` provider answers: it\n"
        "picks sentences of the source. Set OPENAI_API_KEY or FLASKLLM_CONFIG for a "
        "model."
    )


@contextmanager
def _server(environment: Mapping[str, str], port: int) -> Iterator[str]:
    """Run `flaskllm serve` as its own process and stop it at the end."""
    command = [sys.executable, "-m", "flaskllm", "serve", "--no-worker"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    """Return when the server answers.

    Raises:
        click.ClickException: It ended, or did not answer in time.
    """
    give_up_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        if _is_ready(url):
            return
        time.sleep(0.05)
    raise click.ClickException("The server did not start; its messages stand above.")


def _is_ready(url: str) -> bool:
    try:
        return _session().get(f"{url}/api/v1/health/ready", timeout=5).ok
    except requests.RequestException:
        return False


def _digest(url: str, token: str, name: str, media_type: str) -> Any:
    """Return the answer of the webhook for one of our documents.

    Raises:
        click.ClickException: It was refused; the server says why.
    """
    reply = _session().post(
        f"{url}/api/v1/webhook",
        params={"reference_time": _REFERENCE_TIME},
        data=(_SAMPLES / name).read_bytes(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": media_type},
        timeout=_ANSWER_SECONDS,
    )
    if not reply.ok:
        raise click.ClickException(f"HTTP {reply.status_code}: {reply.text}")
    return reply.json()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment must not see loopback
    return session


def _show(title: str, answer: Any) -> None:
    data, meta = answer["data"], answer["meta"]
    heading = f"{title}, read by {meta['provider']} ({meta['model']})"
    click.echo(f"\n{click.style(heading, bold=True)}\n{'=' * len(heading)}")
    for line in show(data["type"], data["text"], data["digest"]):
        click.echo(line)


def _tell_how_to_repeat() -> None:
    click.echo(
        "\nRepeat it: run `make serve`, keep the API token that it shows, then\n\n"
        "  curl -H 'Authorization: Bearer YOUR_API_TOKEN' \\\n"
        "       -H 'Content-Type: message/rfc822' \\\n"
        f"       --data-binary @{_shown(_SAMPLES / 'mail.eml')} \\\n"
        "       http://127.0.0.1:8000/api/v1/webhook"
    )


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
