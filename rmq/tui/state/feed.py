"""What is known of something that is asked for again and again, how old it is, and why it is not newer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rmq.tui.service.model import Problem

T = TypeVar("T")


@dataclass(slots=True)
class Feed(Generic[T]):
    """The newest answer to a repeated question.

    `begin` numbers a question, `take` accepts its answer unless a later question's answer is already there. A problem
    does not take away the value that was known.

    Attributes:
        value: the newest value; None before the first.
        at: when it came, in ms; 0 before the first.
        problem: why the newest answer was none; None when it was one.
        since: when the problem began, in ms.
    """

    value: T | None = None
    at: int = 0
    problem: Problem | None = None
    since: int = 0
    _begun: int = field(default=0, repr=False)
    _taken: int = field(default=0, repr=False)

    def begin(self) -> int:
        """The generation of a new question."""
        self._begun += 1
        return self._begun

    def take(self, generation: int, answer: T | Problem, now: int) -> bool:
        """An answer; False when it came too late to count."""
        if generation < self._taken:
            return False
        self._taken = generation
        if isinstance(answer, Problem):
            if self.problem is None:
                self.since = now
            self.problem = answer
        else:
            self.value, self.at, self.problem, self.since = answer, now, None, 0
        return True

    def anew(self) -> Feed[T]:
        """A feed for another subject, which takes no answer to what was asked about this one."""
        return Feed(_begun=self._begun, _taken=self._begun + 1)
