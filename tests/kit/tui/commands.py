"""Commands of mqadmin that print what a test says."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from rmq.tui.service.model.commands import CommandKind, Ended

KINDS = {
    kind.name: kind
    for kind in (
        CommandKind("topicList", "Print the topics."),
        CommandKind("consumerProgress", "Show how far groups are behind."),
        CommandKind("deleteTopic", "Delete a topic.", changes=True),
        CommandKind("startMonitoring", "Watch groups.", endless=True),
        CommandKind("rocksDBConfigToJson", "Print metadata.", asks_nameservers=False),
    )
}


class FakeCommands:
    """See `protocol.Commands`.

    Attributes:
        ran: words of the commands that were begun.
        printed: what they print.
        code: how they end; None when they go on until they are stopped.
        stopped: words of those that were stopped.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[str, ...]] = []
        self.printed: list[str] = [f"topic-{number:03}  {number * 7:>6}" for number in range(60)]
        self.code: int | None = 0
        self.stopped: list[tuple[str, ...]] = []

    def command_summaries(self) -> Mapping[str, str]:
        return {name: kind.summary for name, kind in KINDS.items()}

    def command_kind(self, name: str) -> CommandKind | None:
        return next((kind for known, kind in KINDS.items() if known.lower() == name.lower()), None)

    async def run_command(self, words: Sequence[str]) -> AsyncGenerator[str | Ended, None]:
        self.ran.append(tuple(words))
        try:
            for line in self.printed:
                yield line
            while self.code is None:
                await asyncio.sleep(1.0)
                yield "still at it"
            yield Ended(self.code)
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped.append(tuple(words))
            raise
