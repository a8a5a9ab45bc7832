"""Our own client: on asyncio through the scenarios of all clients, on Twisted and in threads by programs as users write them."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults

from rmq.client import (
    ConsumeContext,
    ConsumeFromWhere,
    ConsumeStatus,
    LitePullConfig,
    LitePullConsumer,
    Message,
    MessageExt,
    MessageModel,
    MessageQueue,
    NoRouteError,
    Producer,
    PushConfig,
    PushConsumer,
    RemotingError,
    SendStatus,
    aio,
    blocking,
    select_by_hash,
    split_batches,
)
from rmq.client.errors import ClientError
from rmq.client.loop import run
from rmq.client.waiting import sleep
from tests.interop import scenarios
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.messages import assert_received_once, assert_same, by_number, make_messages
from tests.kit.server import RunningServer
from tests.kit.toolchains import ROOT, Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

PROGRAM = Program(("env", f"PYTHONPATH={ROOT}", sys.executable, str(Path(__file__).parent / "python" / "driver.py")))
FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


@pytest.fixture
def python(session_drivers: StartDriver) -> Driver:
    return session_drivers(PROGRAM)


# --- on asyncio, in a process of its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sync", "async", "oneway", "batch"])
def test_sends_ten_thousand(python: Driver, mode: str) -> None:
    scenarios.sends_and_consumes(python, mode, f"Python-{mode}")


@pytest.mark.parametrize("way", ["shutdown", "kill"])
def test_one_client_joins_and_leaves(python: Driver, start_driver: StartDriver, way: str) -> None:
    stays, guest = start_driver(PROGRAM), start_driver(PROGRAM)
    leave = guest.kill if way == "kill" else lambda: guest.call("stop", name="guest")
    topic = f"Python-join-{way}"
    python.call("producer", name=f"F-{topic}", group=f"FG-{topic}")
    python.send(f"F-{topic}", f"{topic}-other", make_messages("other", 1))
    python.call("stop", name=f"F-{topic}")
    _create(python, topic)
    scenarios.one_joins_and_leaves(stays, guest, python, topic, queues=4, leave=leave)


def _create(python: Driver, topic: str) -> None:
    """A topic that exists before its consumers, with no message in it that the scenario does not know."""
    raise NotImplementedError


def test_broadcasting(python: Driver, start_driver: StartDriver) -> None:
    scenarios.broadcasts(python, start_driver(PROGRAM), "Python-broadcast", make_messages("broadcast", 1000))
