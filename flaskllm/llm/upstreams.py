"""One attempt at one deployment: a provider's words over a sender's wire."""

from collections.abc import Mapping

from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import (
    LLMAPIError,
    LLMInvalidRequest,
    LLMRefused,
    LLMRequestRejected,
    NoModelConfigured,
)
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.providers import Embedder, LocalProvider, Provider
from flaskllm.llm.senders import ByteStream, Sender
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.types import (
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Wire,
)
from flaskllm.llm.unsaid import counted, filled_in
from flaskllm.net.transport import HttpReply

# What is read of an error's body, and for how long: its status says most.
_ERROR_BYTES = 64 * 1024
_ERROR_SECONDS = 5.0


class Upstreams:
    """Every provider and who carries its requests, by the provider's name."""

    def __init__(
        self,
        providers: Mapping[str, Provider | LocalProvider],
        senders: Mapping[str, Sender],
    ) -> None:
        """Keep both. A provider that answers by itself needs no sender."""
        self.providers = providers
        self.senders = senders
        # Once, here: what a provider can do is slow to ask at every request.
        self._locals: dict[str, LocalProvider] = {}
        self._remotes: dict[str, Provider] = {}
        self._embedders: dict[str, Embedder] = {}
        for name, provider in providers.items():
            if isinstance(provider, LocalProvider):
                self._locals[name] = provider
                continue
            self._remotes[name] = provider
            if isinstance(provider, Embedder):
                self._embedders[name] = provider

    def is_local(self, deployment: Deployment) -> bool:
        """Tell whether the deployment answers without an upstream."""
        return deployment.provider in self._locals

    def is_embedder(self, deployment: Deployment) -> bool:
        """Tell whether the deployment's dialect has vectors."""
        return deployment.provider in self._embedders

    def takes_inputs(self, request: EmbeddingRequest, deployment: Deployment) -> bool:
        """Tell whether an embedder takes what this request has to embed."""
        if self._embedders[deployment.provider].takes_token_numbers:
            return True
        return all(isinstance(each, str) for each in request.inputs)

    def wires(self, deployment: Deployment) -> frozenset[Wire]:
        """Return the callers' dialects that the deployment speaks too."""
        provider = self._remotes.get(deployment.provider)
        return frozenset() if provider is None else provider.wires

    def fetches_images(self, deployment: Deployment) -> bool:
        """Tell whether the deployment takes an image by its address."""
        provider = self._remotes.get(deployment.provider)
        return provider is not None and provider.fetches_images

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the caller's fields that the deployment's dialect cannot say."""
        provider = self._remotes.get(deployment.provider)
        return () if provider is None else provider.dropped(request, deployment)

    def complete(
        self,
        request: CompletionRequest,
        call: Call,
        settlement: Settlement,
        answer_seconds: float | None,
    ) -> Completion:
        """Return the whole answer of one deployment; success is told.

        Args:
            request: What to ask.
            call: The deadline, and the caller who may hang up.
            settlement: It is told how the attempt ended.
            answer_seconds: How long the attempt may take; None where there is
                nowhere else to go.

        Raises:
            LLMRefused: The model or its content policy withheld the answer. Its
                tokens are told before it is raised.
            LLMAPIError: It could not answer.
            CallerGone: Nobody waits for the answer any more.
        """
        deadline = call.deadline.within(answer_seconds)
        completion = self._ask(request, call, deadline, settlement)
        if _is_withheld(completion, request):
            refused = LLMRefused(details="Its content policy withheld the answer.")
            settlement.tell_error(refused, completion.usage)
            raise refused
        settlement.tell("OK", completion.usage)
        return completion

    def open(
        self,
        request: CompletionRequest,
        call: Call,
        settlement: Settlement,
        first_token_seconds: float | None,
        reads: CompletionRequest | None = None,
    ) -> OpenStream:
        """Return the stream of one deployment once its first token is there.

        Args:
            request: What to ask.
            call: The deadline, and the caller who may hang up.
            settlement: It is told when the stream ends.
            first_token_seconds: How long the attempt may take until then; None
                where there is nowhere else to go.
            reads: What the answer is read as an answer to, where it is not `request`.

        Raises:
            LLMRefused: The upstream finished before it said a word, for its
                content policy.
            LLMAPIError: It could not answer.
            CallerGone: Nobody waits for the answer any more.
        """
        deployment = settlement.attempt.deployment
        provider = self._remotes.get(deployment.provider)
        if provider is None:
            raise NoModelConfigured(details="The built-in provider does not stream.")
        clock = call.deadline.clock
        stream = self.senders[deployment.provider].open(
            provider.encode(request, deployment),
            deadline=call.deadline,
            caller=call.caller,
            first_byte_seconds=deployment.timeouts.first_byte_seconds,
            head_seconds=first_token_seconds,
        )
        settlement.heed(stream.headers)
        if stream.status != 200:
            raise provider.explain(_read_error(stream, deployment, clock))
        reader = provider.read_stream(reads or request)
        opened = OpenStream(request, stream, reader, settlement, clock)
        opened.hold_until_token(first_token_seconds)
        return opened

    def embed(
        self, request: EmbeddingRequest, call: Call, settlement: Settlement
    ) -> Embeddings:
        """Return a vector for each input; success is told.

        Raises:
            LLMAPIError: The deployment could not answer.
            CallerGone: Nobody waits for the answer any more.
        """
        deployment = settlement.attempt.deployment
        # No others are lined up.
        provider = self._remotes[deployment.provider]
        embedder = self._embedders[deployment.provider]
        reply = self.senders[deployment.provider].send(
            embedder.encode_embedding(request, deployment),
            deadline=call.deadline,
            caller=call.caller,
        )
        settlement.heed(reply.headers)
        if reply.status != 200:
            raise provider.explain(reply)
        embeddings = counted(embedder.decode_embedding(reply), request, deployment)
        settlement.tell("OK", embeddings.usage)
        return embeddings

    def _ask(
        self,
        request: CompletionRequest,
        call: Call,
        deadline: Deadline,
        settlement: Settlement,
    ) -> Completion:
        deployment = settlement.attempt.deployment
        local = self._locals.get(deployment.provider)
        if local is not None:
            return local.answer(request)
        provider = self._remotes[deployment.provider]
        reply = self.senders[deployment.provider].send(
            provider.encode(request, deployment),
            deadline=deadline,
            caller=call.caller,
        )
        settlement.heed(reply.headers)
        try:
            if reply.status != 200:
                raise provider.explain(reply)
            completion = provider.decode(reply, request)
        except LLMInvalidRequest as error:
            if request.extraction is None:
                raise
            # We wrote the fields of a digest's question: its caller can mend none.
            raise LLMRequestRejected(details=error.details) from error
        return filled_in(completion, request, deployment)


def _read_error(stream: ByteStream, deployment: Deployment, clock: Clock) -> HttpReply:
    """Return a reply whose status says most already, as far as its body came.

    Raises:
        CallerGone: Nobody waits for the answer any more.
    """
    seconds = min(_ERROR_SECONDS, deployment.timeouts.first_byte_seconds)
    until_seconds = clock.monotonic() + seconds
    body = b""
    try:
        while len(body) < _ERROR_BYTES:
            left_seconds = max(0.0, until_seconds - clock.monotonic())
            data = stream.read(gap_seconds=seconds, tick_seconds=left_seconds)
            if not data:
                break
            body += data
    except LLMAPIError:
        pass  # a body that broke off is no news beside the status
    finally:
        stream.close()
    return HttpReply(stream.status, stream.headers, body)


def _is_withheld(completion: Completion, request: CompletionRequest) -> bool:
    """Tell whether the answer is a refusal and nothing else.

    A caller gets what a model said before it was stopped, or with which it
    declined; half a digest is of no use.
    """
    if completion.finish_reason != "content_filter":
        return False
    said = completion.text or completion.refusal or completion.tool_calls
    return request.extraction is not None or not said
