"""All senders, by the name that the endpoint's address and the settings give."""

from collections.abc import Mapping

from flaskllm.inputs.senders.cloudmailin import CLOUDMAILIN
from flaskllm.inputs.senders.fathom import FATHOM
from flaskllm.inputs.senders.fireflies import FIREFLIES
from flaskllm.inputs.senders.generic import GENERIC
from flaskllm.inputs.senders.graph import GRAPH
from flaskllm.inputs.senders.mailgun import MAILGUN
from flaskllm.inputs.senders.postmark import POSTMARK
from flaskllm.inputs.senders.read_ai import READ_AI
from flaskllm.inputs.senders.sendgrid import SENDGRID
from flaskllm.inputs.senders.ses import SES
from flaskllm.inputs.senders.types import Sender
from flaskllm.inputs.senders.zoom import ZOOM

SENDERS: Mapping[str, Sender] = {
    sender.name: sender
    for sender in (
        SENDGRID,
        MAILGUN,
        POSTMARK,
        SES,
        CLOUDMAILIN,
        ZOOM,
        FIREFLIES,
        FATHOM,
        READ_AI,
        GRAPH,
        GENERIC,
    )
}
