"""Clients in memory."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.model import (
    CONSUMER,
    PRODUCER,
    ClientDetail,
    Clients,
    Connected,
    HeldQueue,
    Pace,
    Problem,
    Running,
    Wanted,
)

NOW = 1_795_269_720_000
BROKER = "10.0.0.1:10911"
CONNECTED = (
    Connected(PRODUCER, "shop", "10.0.0.11@4711", "10.0.0.11:50010", "JAVA", "V5_4_0", BROKER, heard=NOW - 9000),
    Connected(PRODUCER, "shop-old", "10.0.0.12@99", "10.0.0.12:50012", "GO", "V4_9_8", BROKER, heard=NOW - 100_000),
    Connected(CONSUMER, "billing", "10.0.0.20@1000", "10.0.0.20:51000", "PYTHON", "V5_4_0", BROKER, "push"),
    Connected(CONSUMER, "billing", "10.0.0.21@1001", "10.0.0.21:51000", "PYTHON", "V5_4_0", BROKER, "push"),
    Connected(CONSUMER, "warehouse", "10.0.0.30@7", "10.0.0.30:51300", "JAVA", "V5_3_1", BROKER, "pop"),
)
BUSY, IDLE, STUCK = CONNECTED[2], CONNECTED[3], CONNECTED[4]
RUNNING = {
    BUSY.key: Running(4, 17, NOW - 3_600_000),
    IDLE.key: Running(0, 0, NOW - 60_000),
    STUCK.key: Running(2, 900, NOW - 86_400_000, 1),
}
STACK = "\n".join(f"TID: {number} STATE: RUNNABLE\n    at Shop.take(Shop.java:{number})\n" for number in range(40))


class FakeClients:
    """See `protocol.ClientQuestions`.

    Attributes:
        connected: who is there.
        groups_asked: how many groups were asked, of eight.
        stack_text: the threads of every client.
    """

    _asked: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.connected: tuple[Connected, ...] = CONNECTED
        self.groups_asked = 8
        self.stack_text = STACK

    async def clients(self, first: str = "") -> Clients | Problem:
        found = sorted(self.connected, key=lambda client: client.key)
        return await self._asked("clients", first) or Clients(tuple(found), self.groups_asked, 8)

    async def running(self, client: Connected) -> Running:
        refused = await self._asked("running", client.client_id)
        return Running(problem=refused) if refused is not None else RUNNING.get(client.key, Running())

    async def client(self, client: Connected) -> ClientDetail | Problem:
        refused = await self._asked("client", client.client_id)
        if refused is not None:
            return refused
        facts = (("role", f"{client.kind} {client.role}".strip()), ("group", client.group), ("address", client.address))
        running = RUNNING.get(client.key, Running())
        if not running.queues:
            return ClientDetail(running, facts=facts)
        queues = tuple(
            HeldQueue(
                "Orders", "broker-a", number, 4 + number, 81_204, NOW - 200, NOW - 1000,
                "can't consume for a while, maybe blocked, 754000ms" if running.stuck and not number else "",
            )
            for number in range(running.queues)
        )  # fmt: skip
        paces = (Pace("Orders", 12.5, 11.9, 17.25, 7),)
        return ClientDetail(running, queues, (Wanted("Orders", "TAG", "TagA || TagB"),), paces, facts)

    async def stack(self, client: Connected) -> str | Problem:
        return await self._asked("stack", client.client_id) or self.stack_text
