"""How much is asked at a time, and how long a silent server is left alone."""

import asyncio
from typing import Any, cast

import pytest

from rmq.remoting.calls import Answer
from rmq.remoting.errors import ConnectFailedError
from rmq.tui.service.live.kept import Kept
from rmq.tui.service.live.limits import AT_ONCE, LEFT_ALONE, Limited
from rmq.wire.errors import RemotingError
from rmq.wire.requests.route import GetBrokerClusterInfo


class Server:
    def __init__(self) -> None:
        self.now = 0
        self.calls = 0
        self.under_way = 0
        self.most = 0
        self.error: RemotingError | None = None
        self.gate = asyncio.Event()

    async def call(self, address: str, header: Any, body: Any = b"", **_: Any) -> Answer:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.gate.wait()
        self.under_way -= 1
        if self.error is not None:
            raise self.error
        return cast(Answer, address)

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        self.calls += 1


def test_only_so_many_requests_are_under_way() -> None:
    async def run() -> None:
        server = Server()
        limited = Limited(server, lambda: 0)
        calls = [asyncio.ensure_future(limited.call("a:1", GetBrokerClusterInfo())) for _ in range(3 * AT_ONCE)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        server.gate.set()
        await asyncio.gather(*calls)
        assert (server.most, limited.asked) == (AT_ONCE, 3 * AT_ONCE)

    asyncio.run(run())


def test_a_server_that_cannot_be_reached_is_left_alone_for_a_moment() -> None:
    async def run() -> None:
        server = Server()
        server.gate.set()
        limited = Limited(server, lambda: server.now)
        server.error = ConnectFailedError("a:1", "refused")
        for _ in range(5):
            with pytest.raises(ConnectFailedError):
                await limited.call("a:1", GetBrokerClusterInfo())
        assert server.calls == 1
        server.error = None
        assert await limited.call("b:1", GetBrokerClusterInfo()) == "b:1"
        server.now += LEFT_ALONE
        assert await limited.call("a:1", GetBrokerClusterInfo()) == "a:1"
        assert await limited.call("a:1", GetBrokerClusterInfo()) == "a:1"

    asyncio.run(run())


def test_a_refusal_is_an_answer() -> None:
    async def run() -> None:
        server = Server()
        server.gate.set()
        server.error = RemotingError("no")
        limited = Limited(server, lambda: 0)
        for _ in range(2):
            with pytest.raises(RemotingError):
                await limited.call("a:1", GetBrokerClusterInfo())
        assert server.calls == 2

    asyncio.run(run())


class Asked:
    def __init__(self) -> None:
        self.now = 0
        self.times = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()

    async def __call__(self, key: str) -> int:
        self.times += 1
        number = self.times
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return number


def test_kept_answers_are_asked_for_once() -> None:
    async def run() -> None:
        asked = Asked()
        kept: Kept[str, int] = Kept(lambda: asked.now, 100, asked)
        both = [asyncio.ensure_future(kept.get("a")) for _ in range(2)]
        await asyncio.sleep(0)
        both[0].cancel()
        asked.gate.set()
        assert await both[1] == 1
        assert (await kept.get("a"), await kept.get("b")) == (1, 2)
        asked.now = 100
        assert await kept.get("a") == 3
        kept.forget()
        assert await kept.get("a") == 4

    asyncio.run(run())


def test_failures_are_not_kept() -> None:
    async def run() -> None:
        asked = Asked()
        asked.gate.set()
        asked.error = RemotingError("no")
        kept: Kept[str, int] = Kept(lambda: 0, 100, asked)
        with pytest.raises(RemotingError):
            await kept.get("a")
        asked.error = None
        await asyncio.sleep(0)
        assert await kept.get("a") == 2

    asyncio.run(run())
