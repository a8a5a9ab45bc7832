"""Pictures of the terminal interface for docs/tui.md, made by itself: `python -m tests.kit.tui.pictures [NAME...]`.

The cluster is the one that tests have in memory, with more traffic. Its clock moves only when it is told to, so the
same code gives the same bytes.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rmq.tui.config.contexts import Context
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.changes.offsets import ResetOffsets
from rmq.tui.service.model import Group, Problem, Topic
from tests.kit.tui.instant import instant
from tests.kit.tui.traces import MESSAGE_ID
from tests.kit.tui_service import NAMESERVERS, NOW, FakeService, fake_app, press, rounds, settle, type_text

FOLDER: Final = Path(__file__).parents[3] / "docs" / "images"
WIDTH: Final = 120
HEIGHT: Final = 26
TALL: Final = {"cluster": 36}
"""Lines of pictures that need more than `HEIGHT`."""
LARGEST: Final = 150_000
"""Bytes of a picture."""
CONTEXT: Final = Context("local", NAMESERVERS, colour="green")

_FONTS: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_PACE: Final = (8, 9, 11, 12, 14, 13, 15, 12, 10, 9, 7, 8, 6, 7)
"""How fast messages come, refresh after refresh."""
_TOPICS: Final = (
    ("Audit", "NORMAL", 2, 0, 0, 3),
    ("Clicks", "NORMAL", 16, 1, 0, 210),
    ("Invoices", "NORMAL", 8, 2, 18, 6),
    ("Orders", "NORMAL", 8, 3, 3201, 41),
    ("OrdersDelay", "DELAY", 4, 1, 0, 5),
    ("OrdersTx", "TRANSACTION", 4, 1, 14, 12),
    ("Payments", "TRANSACTION", 4, 1, 0, 19),
    ("Refunds", "NORMAL", 2, 1, 7, 1),
    ("Shipments", "FIFO", 8, 2, 120, 9),
    ("Stock", "NORMAL", 8, 1, 0, 33),
)
"""Name, type, queues, groups, how far they are behind, and how busy it is."""
_GROUPS: Final = (
    ("analytics", "online", 4, 0, 210),
    ("audit-trail", "online", 1, 11, 41),
    ("billing", "online", 2, 3190, 38),
    ("invoicing", "online", 2, 18, 6),
    ("mail-sender", "offline", 0, 51_000, 0),
    ("refunds", "online", 1, 7, 1),
    ("stock-keeper", "online", 3, 0, 33),
    ("warehouse", "online", 3, 120, 9),
)
"""Name, state, clients, how far it is behind, and how busy it is."""
_GROWTH: Final = {"billing": -210, "invoicing": 2, "mail-sender": 38, "warehouse": -9}
"""Messages by which a group falls behind from refresh to refresh."""
_RESET: Final = Preview(
    ("QUEUE", "NOW", "TARGET", "AGAIN", "SKIPPED"),
    tuple(
        (f"broker-a/{queue}", f"{81_204 + queue:,}", f"{80_000 + queue * 17:,}", f"{1204 - queue * 16:,}", "")
        for queue in range(4)
    ),
    ("4 queues, 4,720 messages come again",),
    ("billing is online with 2 clients: they go on from there at once, and what they hold may be consumed twice",),
)
_MOVED: Final = Outcome(
    True,
    "4 queues moved and read back",
    tuple(Item(f"billing Orders {row[0]}", True, f"{row[1]} → {row[2]}") for row in _RESET.rows),
    ("billing: online, lag 4,720, 4 queues looked at",),
)
_SENT: Final = Outcome(
    False,
    "2 of 3 sent again",
    (
        Item("broker-a/0@6", True, "to Payments broker-a/1 @ 9,704"),
        Item("broker-a/0@5", True, "to Orders broker-a/3 @ 81,211"),
        Item("broker-a/0@4", False, "it is not there any more"),
    ),
)

_RESEND: Final = Preview(
    ("LETTER", "TO", "TAG", "KEYS", "BYTES"),
    (
        ("broker-a/0@6", "Payments", "TagA", "order-6", "39"),
        ("broker-a/0@5", "Orders", "TagA", "order-5", "39"),
        ("broker-a/0@4", "Orders", "TagA", "order-4", "9"),
    ),
    ("2 to Orders", "1 to Payments", "takes 0.2s; the dead letters stay where they are"),
)


class Shop(FakeService):
    """A cluster with traffic that rises and falls."""

    def __init__(self) -> None:
        super().__init__()
        self.previews = {ResetOffsets: _RESET, ResendDead: _RESEND}
        self.outcomes = {ResetOffsets: _MOVED, ResendDead: _SENT}

    def _total(self, base: int, share: int = 1) -> int:
        return base + 10 * share * sum(_PACE[(at + base) % len(_PACE)] for at in range(self.round))

    async def topic_names(self) -> tuple[str, ...] | Problem:
        return tuple(row[0] for row in _TOPICS)

    def _topic(self, name: str) -> Topic:
        _, kind, queues, groups, lag, busy = next(row for row in _TOPICS if row[0] == name)
        behind = lag + self.round * (_GROWTH["billing"] if name == "Orders" else 0)
        total = 1000 * busy + self._total(len(name) * queues, busy) // 10
        return Topic(name, kind, "RW-", queues, queues, 1, total, total // 2, NOW, groups, behind)

    async def group_names(self) -> tuple[str, ...] | Problem:
        return tuple(row[0] for row in _GROUPS)

    def _group(self, name: str) -> Group:
        _, state, clients, lag, busy = next(row for row in _GROUPS if row[0] == name)
        behind = lag + self.round * _GROWTH.get(name, 0)
        consumed = self._total(1000 * busy + len(name), busy) // 10
        model, kind = ("clustering", "push") if clients else ("", "")
        oldest = NOW - 754_000 if lag else 0
        return Group(name, state, model, kind, clients, 1, behind, consumed + behind, consumed, oldest)


Play = Callable[[Any, FakeService], Awaitable[None]]


async def _cluster(pilot: Any, service: FakeService) -> None:
    await press(pilot, "1")
    await rounds(pilot, service, 40)


async def _topics(pilot: Any, service: FakeService) -> None:
    await press(pilot, "2")
    await rounds(pilot, service, 10)
    await press(pilot, "j", "j", "j", "enter", "right_square_bracket", "right_square_bracket")
    await rounds(pilot, service, 4)


async def _groups(pilot: Any, service: FakeService) -> None:
    await press(pilot, "3")
    await rounds(pilot, service, 10)
    await press(pilot, "j", "j")


async def _reset(pilot: Any, service: FakeService) -> None:
    await rounds(pilot, service, 3)
    await press(pilot, "3", "j", "j", "R")
    await press(pilot, *"-30m", "enter")


async def _messages(pilot: Any, service: FakeService) -> None:
    await rounds(pilot, service, 3)
    await press(pilot, "4", "i")
    await type_text(pilot, "Orders time:-1h..now body~book")
    await press(pilot, "enter", "j", "enter")


async def _clients(pilot: Any, service: FakeService) -> None:
    await press(pilot, "5")
    await rounds(pilot, service, 2)
    await press(pilot, "j", "j")


async def _dead_letters(pilot: Any, service: FakeService) -> None:
    await press(pilot, "6")
    await rounds(pilot, service, 4)
    await press(pilot, "enter", "space", "space", "space")


async def _trace(pilot: Any, service: FakeService) -> None:
    pilot.app.drill("trace", f"Orders/{MESSAGE_ID}")
    await rounds(pilot, service, 2)
    await press(pilot, "j", "j", "j")


async def _ops(pilot: Any, service: FakeService) -> None:
    await _reset(pilot, service)
    await press(pilot, *"billing", "enter", "escape")
    service.later(75)
    await press(pilot, "6", "enter", "space", "space", "space", "p", "ctrl+s", "y", "escape", "9")
    await press(pilot, "j")


PICTURES: Final[Mapping[str, Play]] = {
    "cluster": _cluster,
    "topics": _topics,
    "groups": _groups,
    "reset": _reset,
    "messages": _messages,
    "clients": _clients,
    "dlq": _dead_letters,
    "trace": _trace,
    "ops": _ops,
}
"""What brings the application to each picture."""


def path_of(name: str) -> Path:
    """Where a picture is."""
    return FOLDER / f"tui-{name}.svg"


def picture(name: str) -> str:
    """The picture as SVG; it asks nobody for a font."""

    async def taken() -> str:
        service = Shop()
        app = fake_app(service, context=CONTEXT)
        async with app.run_test(size=(WIDTH, TALL.get(name, HEIGHT))) as pilot:
            await settle(pilot)
            # What the header shows; the timers wait longer, and the clock is moved by `rounds`.
            app.session.refresh = 2.0
            await PICTURES[name](pilot, service)
            await settle(pilot)
            return app.export_screenshot(title=f"rmq tui: {name}", simplify=True)

    drawn = _FONTS.sub("", asyncio.run(taken()))
    # Blanks at the ends of lines are nothing that anybody sees.
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def main() -> None:
    """Makes those that are named, or all."""
    FOLDER.mkdir(exist_ok=True)
    with instant():
        for name in sys.argv[1:] or PICTURES:
            drawn = picture(name)
            path_of(name).write_text(drawn, encoding="utf-8")
            print(f"{path_of(name).relative_to(FOLDER.parents[1])}  {len(drawn.encode()):,} bytes")


if __name__ == "__main__":
    main()
