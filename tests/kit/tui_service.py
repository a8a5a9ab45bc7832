"""A cluster in memory for the terminal interface: answers from values, held back or failing as a test wants."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.worker import WorkerCancelled

from rmq.tui.app import RmqApp
from rmq.tui.config.contexts import Context, Mode
from rmq.tui.service.guard import guarded
from rmq.tui.service.model import (
    Broker,
    Client,
    Cluster,
    Group,
    GroupDetail,
    GroupQueue,
    NameServer,
    Problem,
    Queue,
    Reader,
    RouteEntry,
    Setting,
    Subscription,
    Topic,
    TopicDetail,
)
from rmq.tui.service.ops import OpsLog
from rmq.tui.state.session import Session
from tests.kit.tui.changes import FakeChanges
from tests.kit.tui.clients import FakeClients
from tests.kit.tui.commands import FakeCommands
from tests.kit.tui.dead_letters import FakeDeadLetters
from tests.kit.tui.definitions import FakeDefinitions
from tests.kit.tui.messages import FakeMessages
from tests.kit.tui.rights import FakeRights
from tests.kit.tui.traces import FakeTraces

NOW = 1_795_269_720_000
"""2026-11-21 14:02:00 UTC."""
MASTER, SLAVE, OTHER = "10.0.0.1:10911", "10.0.0.2:10911", "10.0.0.3:10911"
NAMESERVERS = ("10.0.0.9:9876", "10.0.0.10:9876")
DEAD = Problem("cannot connect: Connection refused", OTHER, None, "is it running?")
GONE = Problem("cannot connect: Connection refused", NAMESERVERS[0], None, "is it running?")

_TOPICS = (
    ("Orders", "NORMAL", 8, 3, 3201, 810_000),
    ("OrdersDelay", "DELAY", 4, 1, 0, 18_000),
    ("OrdersTx", "TRANSACTION", 4, 1, 14, 9_700),
    ("Payments", "TRANSACTION", 4, 1, 0, 52_301),
    ("Shipments", "FIFO", 4, 2, 120, 30_000),
    ("audit", "NORMAL", 2, 0, 0, 0),
)
_GROUPS = (
    ("billing", "online", 2, 3190),
    ("audit-trail", "online", 1, 11),
    ("mail-sender", "offline", 0, 51_000),
    ("warehouse", "online", 3, 0),
)
_INTERNAL = ("%RETRY%billing", "TBW102", "broker-a", "rmq_sys_wheel_timer")


class FakeService(
    FakeChanges,
    FakeDefinitions,
    FakeCommands,
    FakeClients,
    FakeDeadLetters,
    FakeTraces,
    FakeRights,
    FakeMessages,
):
    """See `rmq.tui.service.AdminService`.

    Attributes:
        clock: ms that the test moves on.
        settings: what every broker says of its settings.
        asked: what was asked, as (question, name).
        problems: answers that take the place of the usual, by question or by (question, name).
        held: questions, or (question, name), that are answered only when the event is set.
        follower: bytes and ms that the slave is behind, and whether it is in step; None when the master does not tell.
        lone: whether no master has a slave: the only broker is broker-b.
        more_topics: names behind the usual ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = NOW
        self.settings = {"brokerName": "broker-a", "brokerRole": "ASYNC_MASTER", "flushDiskType": "ASYNC_FLUSH"}
        self.asked: list[tuple[str, str]] = []
        self.problems: dict[Any, Problem] = {}
        self.held: dict[Any, asyncio.Event] = {}
        self.follower: tuple[int, int | None, bool] | None = (18_432, 40, True)
        self.lone = False
        self.more_topics: tuple[str, ...] = ()
        self.more_groups: tuple[str, ...] = ()
        self.round = 0
        self.flow = True
        self.closed = False
        self.forgotten = 0

    @property
    def address(self) -> str:
        return ";".join(NAMESERVERS)

    def now(self) -> int:
        return self.clock

    def later(self, seconds: float) -> None:
        """Time passes, and traffic with it."""
        self.clock += int(seconds * 1000)
        self.round += 1

    def count(self, question: str) -> int:
        """How often something was asked."""
        return sum(asked == question for asked, _ in self.asked)

    def forget(self) -> None:
        self.forgotten += 1

    async def _asked(self, question: str, name: str = "") -> Problem | None:
        self.asked.append((question, name))
        for key in (question, (question, name)):
            if key in self.held:
                await self.held[key].wait()
        return self.problems.get(question) or self.problems.get((question, name))

    def _total(self, base: int, share: int = 1) -> int:
        return base + ((self.round * 20 + 6 * (self.round % 2)) * share if self.flow else 0)

    def _standing(self) -> dict[str, Any]:
        return dict(zip(("lag", "lag_millis", "in_sync"), self.follower or (None, None, None), strict=True))

    async def cluster(self) -> Cluster | Problem:
        refused = await self._asked("cluster")
        if refused is not None:
            return refused
        start, earliest = NOW - 93_600_000, NOW - 48 * 3_600_000
        figures = (("brokerVersionDesc", "V5_4_0"), ("msgPutTotalTodayNow", "810000"), ("putTps", "12.1 11.9 11.8"))
        common: dict[str, Any] = {
            "version": "V5_4_0",
            "disk": 0.41,
            "earliest": earliest,
            "started": start,
            "figures": figures,
        }
        brokers = [
            Broker(
                "C1",
                "broker-a",
                0,
                MASTER,
                put_total=self._total(810_000, 5),
                get_total=self._total(790_000, 4),
                slaves=1,
                slaves_in_sync=None if self.follower is None else int(self.follower[2]),
                **common,
            ),
            Broker("C1", "broker-a", 1, SLAVE, get_total=self._total(1000), **common, **self._standing()),
            Broker("C1", "broker-b", 0, OTHER, put_total=self._total(92_000, 2), timer_backlog=1200, **common),
        ]
        dead = self.problems.get(("broker", OTHER))
        if dead is not None:
            brokers[2] = Broker("C1", "broker-b", 0, OTHER, problem=dead)
        servers = (NameServer(NAMESERVERS[0], 3), NameServer(NAMESERVERS[1], 2, (OTHER,)))
        return Cluster(tuple(brokers[2:] if self.lone else brokers), servers)

    async def broker_config(self, address: str) -> tuple[Setting, ...] | Problem:
        refused = await self._asked("config", address)
        return refused or tuple(Setting(address, *pair) for pair in self.settings.items())

    async def topic_names(self) -> tuple[str, ...] | Problem:
        return await self._asked("topic_names") or (*(row[0] for row in _TOPICS), *self.more_topics, *_INTERNAL)

    def _topic(self, name: str) -> Topic:
        known = {row[0]: row for row in _TOPICS}
        _, kind, queues, groups, lag, total = known.get(name, (name, "NORMAL", 4, 0, 0, 100))
        share = queues // 2 if lag else 1
        changing = lag + self.round * 7 if lag and self.flow else lag
        return Topic(name, kind, "RW-", queues, queues, 1, self._total(total, share), total // 2, NOW, groups, changing)

    async def topics(self, names: Sequence[str]) -> Mapping[str, Topic]:
        found = {}
        for name in names:
            refused = await self._asked("topics", name)
            found[name] = Topic(name, problem=refused) if refused is not None else self._topic(name)
        return found

    async def topic(self, name: str) -> TopicDetail | Problem:
        refused = await self._asked("topic", name)
        if refused is not None:
            return refused
        topic = self._topic(name)
        names = ["billing", "audit-trail", "warehouse"][: topic.groups]
        lag = topic.lag or 0
        return TopicDetail(
            topic,
            (RouteEntry("broker-a", "C1", MASTER, topic.read_queues, topic.write_queues, "RW-"),),
            tuple(Queue("broker-a", number, 0, topic.total // 8 + number, NOW) for number in range(topic.read_queues)),
            tuple(
                Reader(group, lag if not at else 0, topic.total - lag, topic.total) for at, group in enumerate(names)
            ),
            (
                Setting("broker-a", "readQueueNums", str(topic.read_queues)),
                Setting("broker-a", "writeQueueNums", str(topic.write_queues)),
                Setting("broker-a", "perm", "RW-"),
                Setting("broker-a", "message.type", topic.kind),
            ),
        )

    async def group_names(self) -> tuple[str, ...] | Problem:
        return await self._asked("group_names") or tuple(sorted([*(row[0] for row in _GROUPS), *self.more_groups]))

    def _group(self, name: str) -> Group:
        known = {row[0]: row for row in _GROUPS}
        _, state, clients, lag = known.get(name, (name, "offline", 0, 0))
        model, kind = ("clustering", "push") if clients else ("", "")
        produced = self._total(100_000, 3)
        oldest = NOW - 754_000 if lag else 0
        return Group(name, state, model, kind, clients, 1, lag, produced, produced - lag, oldest)

    async def groups(self, names: Sequence[str]) -> Mapping[str, Group]:
        found = {}
        for name in names:
            refused = await self._asked("groups", name)
            found[name] = Group(name, problem=refused) if refused is not None else self._group(name)
        return found

    async def group(self, name: str) -> GroupDetail | Problem:
        refused = await self._asked("group", name)
        if refused is not None:
            return refused
        group = self._group(name)
        owners = [f"10.0.0.2{at}@{1000 + at}" for at in range(group.clients)]
        lag = (group.lag or 0) // 4
        queues = tuple(
            GroupQueue(
                "Orders", "broker-a", at, 81_204, 81_204 - lag, NOW - 1000, owners[at % len(owners)] if owners else ""
            )
            for at in range(4)
        )
        clients = tuple(
            Client(owner, f"10.0.0.2{at}:51000", "PYTHON", "V5_4_0", 2, 17, NOW - 3_600_000)
            for at, owner in enumerate(owners)
        )
        wanted = (Subscription("Orders", "TAG", "*", len(owners), len(owners)),) if owners else ()
        config = (Setting("broker-a", "consumeEnable", "true"), Setting("broker-a", "retryMaxTimes", "16"))
        return GroupDetail(group, queues, clients, wanted, config)

    async def close(self) -> None:
        self.closed = True


def fake_app(
    service: FakeService | None = None,
    *,
    refresh: float = 3600.0,
    save: Callable[[Path, str], None] | None = None,
    read_only: bool = False,
    context: Context | None = None,
    **more: Any,
) -> RmqApp:
    """The application over a fake, at a fixed time in UTC, that refreshes when the test says so."""
    fake = service or FakeService()

    def forbidden(path: Path, text: str) -> None:
        raise OSError(13, "no files in this test")

    shown = context or Context(mode=Mode.READ_ONLY if read_only else Mode.CONFIRM)
    log = OpsLog(fake.audit.append, "ops.jsonl")
    guard = guarded(fake, shown, log, fake.now)
    session = Session(guard, fake.now, UTC, save or forbidden, refresh, shown, log, settle=0.01)
    return RmqApp(session, **more)


async def settle(pilot: Any) -> None:
    """Waits until nothing is under way: workers, timers of the screens, and what they paint."""
    for _ in range(2):
        await pilot.pause(0.03)
        for worker in list(pilot.app.workers):
            # One that a newer one replaced is over as well.
            with suppress(WorkerCancelled):
                await worker.wait()
    await pilot.pause()


async def rounds(pilot: Any, service: FakeService, number: int) -> None:
    """So many refreshes, two seconds of the clock apart."""
    for _ in range(number):
        service.later(2.0)
        pilot.app.tick()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


Script = Callable[[Any, FakeService], Any]
_LONGEST = 120
"""Seconds of a script, most of which cost nothing."""


def play(script: Script, *, size: tuple[int, int] = (120, 36), service: FakeService | None = None, **more: Any) -> None:
    """Runs the application without a terminal while the script plays its user; all has settled when it begins."""

    async def run() -> None:
        fake = service or FakeService()
        app = fake_app(fake, **more)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            # The loop would catch the exception by which the general limit of tests ends one that hangs.
            played = asyncio.ensure_future(script(pilot, fake))
            ended, _ = await asyncio.wait({played}, timeout=_LONGEST)
            assert ended, "the script waits for something that never comes"
            await played

    asyncio.run(run())


async def press(pilot: Any, *keys: str) -> None:
    """Presses keys and waits until what they began is done."""
    await strike(pilot, *keys)
    await settle(pilot)


async def strike(pilot: Any, *keys: str) -> None:
    """Presses keys; waits only where one of them may move the focus."""
    for key in keys:
        plain = len(key) == 1 and not key.isdigit()
        if not plain:
            await pilot.pause()
        pilot.app.post_message(events.Key(_character_to_key(key) if plain else key, key if len(key) == 1 else None))
        if not plain:
            await pilot.pause()
    await pilot.pause()


def text_of(pilot: Any) -> str:
    """What the terminal shows, line by line."""
    width, height = pilot.app.size
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips[:height]) if width else ""


async def type_text(pilot: Any, text: str) -> None:
    """Types characters one after the other, as fast as a paste would."""
    for character in text:
        pilot.app.post_message(events.Key(_character_to_key(character), character))
    await pilot.pause()
    await pilot.pause()
