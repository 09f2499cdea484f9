"""How long a search goes on: each one's share of what its profile grants (``make fuzz``)."""

from hypothesis import settings


def share(percent: int, *, steps: int | None = None) -> settings:
    """Settings of a search that tries so many of the profile's examples, for what one costs."""
    examples = max(1, settings().max_examples * percent // 100)
    return settings(
        max_examples=examples, **({} if steps is None else {"stateful_step_count": steps})
    )
