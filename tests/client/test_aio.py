"""The asyncio facade: a guest on the loop that cleans up behind itself."""

import asyncio
import inspect
import sys
from typing import Any

import pytest

from rmq import client
from rmq.client import aio, blocking
from rmq.client.errors import NotRunningError
from rmq.client.message import Message
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.errors import InvalidParameterError
from tests.kit.ports import free_port


def left_behind(loop: Any) -> int:
    """Sockets that the loop watches and timers it will call."""
    return len(loop._selector.get_map()) + len([timer for timer in loop._scheduled if not timer.cancelled()])


def test_members_of_one_loop_share_a_reactor_that_goes_with_the_last() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clean = left_behind(loop)
        addr = f"127.0.0.1:{free_port()}"
        async with aio.Producer("a", namesrv_addr=addr) as one, aio.Producer("b", namesrv_addr=addr) as two:
            assert one._member.instance.reactor is two._member.instance.reactor
            assert left_behind(loop) > clean
            with pytest.raises(ConnectFailedError):
                await one.send(Message("T", b"x"))
        assert left_behind(loop) == clean
        with pytest.raises(NotRunningError):
            await one.send(Message("T", b"x"))

    asyncio.run(main())
    asyncio.run(main())


def test_a_poll_that_is_given_up() -> None:
    """Cancelling the task ends the wait underneath."""

    async def main() -> None:
        consumer = aio.LitePullConsumer("G", namesrv_addr=f"127.0.0.1:{free_port()}")
        consumer.subscribe("T")
        async with consumer:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(consumer.poll(60), 0.05)
            assert len(consumer._member._arrived) == 0
            assert consumer.assignment() == []

    asyncio.run(main())


def test_a_running_loop_is_needed() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        aio.Producer("a")


def test_the_global_reactor_is_left_alone() -> None:
    code = (
        "import sys, rmq.client.aio, rmq.client.blocking, rmq.client as c\n"
        "[getattr(c, name) for name in c.__all__]\n"
        "sys.exit('twisted.internet.reactor' in sys.modules)"
    )

    async def main() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
        return await process.wait()

    assert asyncio.run(main()) == 0


def test_every_method_has_a_facade() -> None:
    """What the Twisted classes can do, their asyncio and blocking twins can do too."""
    twins = ["Producer", "TransactionProducer", "PushConsumer", "OrderlyPushConsumer", "LitePullConsumer"]
    # What brokers and the client itself call, and what only makes sense on a reactor.
    inner = {
        "reset_offsets", "consumer_status", "running_info", "consume_directly", "consumer_data", "topics",
        "rebalance_soon", "check_transaction", "send_message_back",
    }  # fmt: skip
    for name in twins:
        core = getattr(client, name)
        public = {
            attribute for attribute in dir(core) if not attribute.startswith("_") and callable(getattr(core, attribute))
        }
        for facade in (aio, blocking):
            assert public - inner - set(dir(getattr(facade, name))) == set()


def test_facades_look_like_what_they_stand_for() -> None:
    send = aio.Producer.send
    assert inspect.iscoroutinefunction(send)
    assert send.__doc__ == client.Producer.send.__doc__
    assert list(inspect.signature(send).parameters) == list(inspect.signature(client.Producer.send).parameters)


def test_a_name_that_is_not_allowed_leaves_nothing_behind() -> None:
    async def main() -> None:
        clean = left_behind(asyncio.get_running_loop())
        with pytest.raises(InvalidParameterError):
            aio.Producer("no such name")
        assert left_behind(asyncio.get_running_loop()) == clean

    asyncio.run(main())
