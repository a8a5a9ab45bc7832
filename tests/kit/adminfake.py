"""Servers in memory for administrative operations: answers by request class, sent through the real header codec."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rmq.admin.declare import Call, find
from rmq.admin.output import TEXT, Report
from rmq.admin.parser import parse
from rmq.client.admin.aio import together
from rmq.client.admin.dryrun import HoldingBack
from rmq.client.admin.session import Admin
from rmq.remoting.calls import SUCCESS, Answer, accepted
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.route import BrokerData, ClusterInfo, QueueData, TopicRouteData
from rmq.wire.command import Command
from rmq.wire.declare import encode_body, encode_header, is_header, spec_of
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.route import GetBrokerClusterInfo, GetRouteInfoByTopic

NOW = 1_795_000_000_000
NAMESRV = "10.0.0.9:9876"
MASTER_A, SLAVE_A, MASTER_B = "10.0.0.1:10911", "10.0.0.2:10911", "10.0.0.3:10911"

CLUSTER = ClusterInfo(
    {
        "broker-a": BrokerData("broker-a", "C1", {0: MASTER_A, 1: SLAVE_A}),
        "broker-b": BrokerData("broker-b", "C1", {0: MASTER_B}),
    },
    {"C1": ["broker-b", "broker-a"]},
)


def route(*queues: QueueData) -> TopicRouteData:
    """A route over both brokers, or over those that the queue data name."""
    named = queues or (QueueData("broker-a", 1, 1, 6), QueueData("broker-b", 2, 2, 6))
    return TopicRouteData([CLUSTER.broker_addr_table[data.broker_name] for data in named], list(named))


class Reply:
    """An answer with more than a body."""

    def __init__(self, body: Any = b"", header: Any = None, code: int = 0, remark: str | None = None) -> None:
        self.body, self.header, self.code, self.remark = body, header, code, remark


class FakeServers:
    """Answers requests. What stands for a class: a body, a `Reply`, an error, or a function of address and header."""

    def __init__(self, answers: dict[type[Any], Any] | None = None) -> None:
        self.answers: dict[type[Any], Any] = {GetBrokerClusterInfo: CLUSTER, **(answers or {})}
        self.routes: dict[str, TopicRouteData] = {}
        self.calls: list[tuple[str, Any, Any]] = []
        self.down: set[str] = set()
        self.nameservers: tuple[str, ...] = (NAMESRV,)

    async def call(
        self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0, accept: frozenset[int] = SUCCESS
    ) -> Answer:
        """See `rmq.remoting.calls.Invoker`."""
        self.calls.append((address, header, body))
        if address in self.down:
            raise ConnectFailedError(address, "refused")
        found = self._answer(address, header)
        if isinstance(found, RemotingError):
            found.address = address
            raise found
        reply = found if isinstance(found, Reply) else Reply(found)
        ext = encode_header(reply.header) if is_header(reply.header) else {}
        payload = reply.body if isinstance(reply.body, bytes) else encode_body(reply.body)
        return accepted(header, Command(reply.code, ext, payload, remark=reply.remark), address, accept)

    def _answer(self, address: str, header: Any) -> Any:
        if isinstance(header, GetRouteInfoByTopic):
            missing = TopicNotExistError(
                f"No topic route info in name server for the topic: {header.topic}\nSee https://x"
            )
            return self.routes.get(header.topic, missing)
        found = self.answers.get(type(header), b"")
        return found(address, header) if callable(found) else found

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        """See `rmq.remoting.calls.Invoker`."""
        self.calls.append((address, header, body))

    def sent(self, kind: type[Any]) -> list[tuple[str, Any]]:
        """Address and header of every request of a class."""
        return [(address, header) for address, header, _ in self.calls if isinstance(header, kind)]


def fake_admin(servers: FakeServers, slept: list[float] | None = None, held: HoldingBack | None = None) -> Admin:
    """A session with them, or with what holds back changes, at a fixed time."""

    async def sleep(seconds: float) -> None:
        (slept if slept is not None else []).append(seconds)

    return Admin(
        held or servers,
        servers.nameservers,
        together=together,
        now=lambda: NOW,
        sleep=sleep,
        choose=lambda count: 0,
    )


def operate(servers: FakeServers, operation: Callable[[Admin], Awaitable[Any]]) -> Any:
    """The result of one operation."""

    async def run() -> Any:
        return await operation(fake_admin(servers))

    return asyncio.run(run())


def reports(servers: FakeServers, line: list[str], slept: list[float] | None = None) -> list[Report]:
    """What a command line reports, at most three times over."""
    command = find(line[0])
    assert command is not None
    options = parse(command.accepted, line[1:], command.extras)
    held = HoldingBack(servers) if options.given("dry-run") else None

    async def run() -> list[Report]:
        outcome: Any = command.function(Call(options, fake_admin(servers, slept, held), held))
        if not hasattr(outcome, "__aiter__"):
            return [await outcome]
        found = []
        async for report in outcome:
            found.append(report)
            if len(found) == 3:
                break
        return found

    before = len(servers.calls)
    made = asyncio.run(run())
    declared = {item.name for item in command.data} | {"errors"}
    if not command.changes:
        sent = {spec_of(type(header)) for _, header, _ in servers.calls[before:]}
        assert not any(spec.changes for spec in sent), "the command changed something without declaring it"
    for report in made:
        assert set(report.members) <= declared, "a member of the JSON object is not declared"
    return made


def report(servers: FakeServers, *line: str) -> Report:
    """What a command line reports."""
    return reports(servers, list(line))[0]


def text(servers: FakeServers, *line: str) -> str:
    """What a command line prints."""
    return report(servers, *line).render(TEXT)
