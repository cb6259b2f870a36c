"""How long a deployment is left alone because its upstream asks for patience."""

from dataclasses import dataclass, replace

from flaskllm.llm.health.policy import Policy, growing_seconds


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when; seconds are on the monotonic clock.

    `since_seconds` is when it was last told, `unsaid` how often in a row without
    saying how long.
    """

    until_seconds: float = 0.0
    since_seconds: float = 0.0
    unsaid: int = 0

    def left_seconds(self, now_seconds: float) -> float:
        """Return how long it still lasts; 0.0 when it is over."""
        return max(0.0, self.until_seconds - now_seconds)


NO_PAUSE = Pause()


def after_limit(
    pause: Pause,
    said_seconds: float | None,
    asked_at_seconds: float,
    now_seconds: float,
    draw: float,
    policy: Policy,
) -> Pause:
    """Return the pause after a 429.

    What the upstream said holds, up to a minute. Without a word, or with none to
    wait, it is a second that doubles each time, up to twenty. Of several requests
    that were under way together only the first lets it grow.

    Args:
        pause: What stood.
        said_seconds: The upstream's `Retry-After`, None without one.
        asked_at_seconds: When the attempt began.
        now_seconds: The monotonic clock.
        draw: Uniform in [0, 1), for the jitter.
        policy: The bounds.
    """
    if said_seconds is not None and said_seconds > 0.0:
        until = now_seconds + min(said_seconds, policy.longest_said_seconds)
        return Pause(max(pause.until_seconds, until), now_seconds, pause.unsaid)
    if asked_at_seconds < pause.since_seconds:
        return pause
    seconds = growing_seconds(
        policy.limited_seconds, policy.longest_unsaid_seconds, pause.unsaid, draw
    )
    until = max(pause.until_seconds, now_seconds + seconds)
    return Pause(until, now_seconds, pause.unsaid + 1)


def after_answer(pause: Pause, asked_at_seconds: float) -> Pause:
    """Return the pause after a whole answer: the next 429 begins anew."""
    if not pause.unsaid or asked_at_seconds < pause.since_seconds:
        return pause
    return replace(pause, unsaid=0)
