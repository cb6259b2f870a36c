"""What callbacks are made and sent with."""

from dataclasses import dataclass
from email.utils import parseaddr
from random import SystemRandom

from flaskllm.core.config import ConfigError, Problem, Settings
from flaskllm.core.config_job_sections import MailSettings
from flaskllm.core.errors import InvalidInputError
from flaskllm.net.egress import Egress
from flaskllm.net.mail import Mailer, MailServer
from flaskllm.services.callbacks.deliveries import Deliveries
from flaskllm.services.callbacks.endpoint_checks import TargetRules
from flaskllm.services.callbacks.endpoints import Endpoints
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.callbacks.sending import Sender
from flaskllm.services.callbacks.targets import Recipients, check_mail_address
from flaskllm.services.callbacks.telling import Telling
from flaskllm.storage.deliveries import DeliveryRows
from flaskllm.storage.delivery_log import DeliveryLog
from flaskllm.storage.endpoints import EndpointRows
from flaskllm.storage.workflows import Workflows
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.secrets import reveal
from flaskllm.wiring.upstreams import read_trusted


@dataclass(frozen=True, slots=True)
class Callbacks:
    """All that callbacks are about.

    Attributes:
        endpoints: Kept by their owners.
        receivers: Checks where one request wants its end told.
        telling: Writes what is told of a job that ends.
        deliveries: Sends it, and shows what came of it.
    """

    endpoints: Endpoints
    receivers: Receivers
    telling: Telling
    deliveries: Deliveries


def build_callbacks(ground: Ground, egress: Egress, workflows: Workflows) -> Callbacks:
    """Return what tells the callers of jobs; nothing is opened.

    Raises:
        ConfigError: The sender of mail is no address, or the CA bundle cannot be read.
    """
    settings, clock = ground.settings, ground.clock
    mailer = build_mailer(settings)
    recipients = None if mailer is None else recipients_of(settings.mail)
    rules = TargetRules(egress.check, recipients)
    rows = EndpointRows(ground.database, clock)
    deliveries = DeliveryRows(ground.database, workflows, clock)
    return Callbacks(
        Endpoints(
            rows,
            deliveries,
            rules,
            clock,
            keep_days=settings.jobs.keep_days,
            sends=workflows.is_enabled,
        ),
        Receivers(rows, rules, clock),
        Telling(workflows, clock),
        Deliveries(
            deliveries,
            DeliveryLog(ground.database),
            Sender(egress, mailer, recipients),
            clock,
            SystemRandom().random,
            sends=workflows.is_enabled,
        ),
    )


def recipients_of(mail: MailSettings) -> Recipients:
    """Return who may get mail: unless it is said, the domain that it comes from."""
    own = parseaddr(mail.sender or "")[1].rpartition("@")[2].lower()
    return Recipients(frozenset(mail.allowed_domains or (own,)))


def build_mailer(settings: Settings) -> Mailer | None:
    """Return what sends mail; None where no mail server is set.

    Raises:
        ConfigError: The sender is no address, or the CA bundle cannot be read.
    """
    mail = settings.mail
    if mail.smtp_host is None or mail.sender is None:
        return None
    try:
        check_mail_address(parseaddr(mail.sender)[1])
    except InvalidInputError as error:
        allowed = "an address, such as flaskllm <digests@example.org>"
        problem = Problem("mail.sender", "no mail address", allowed)
        raise ConfigError([problem]) from error
    return Mailer(
        MailServer(
            mail.smtp_host,
            mail.smtp_port,
            mail.security,
            mail.sender,
            mail.username,
            reveal(mail.password),
            read_trusted(),
        )
    )
