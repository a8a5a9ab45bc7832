"""What the code under test writes to the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twisted.logger import LogEvent, formatEvent, globalLogPublisher


@contextmanager
def logged(wanted: Callable[[LogEvent], bool] = lambda event: True) -> Iterator[list[str]]:
    """The texts of the events that come meanwhile, and are wanted."""
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if wanted(event):
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        yield lines
    finally:
        globalLogPublisher.removeObserver(observe)
