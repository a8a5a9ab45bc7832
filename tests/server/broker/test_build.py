"""A whole broker: starting, stopping, starting again, and failing to start without leaving anything behind."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.client import RemotingClient
from rmq.remoting.server import ListenError
from rmq.server.broker.build import AlreadyStartedError, Broker
from rmq.server.broker.meta.config_file import ConfigFileError
from rmq.server.namesrv.build import NameServer
from rmq.server.store.api import StoreLockedError
from rmq.settings.load import load_namesrv
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.auth import UserInfo
from rmq.wire.errors import RemotingError
from rmq.wire.requests.auth import GetUser
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.offset import QueryConsumerOffset, UpdateConsumerOffset
from rmq.wire.requests.topic import GetTopicConfig
from tests.kit.broker import heartbeat, messages, pull_header, send_header, settings_of
from tests.kit.logs import logged
from tests.kit.memory_files import MemoryFiles
from tests.kit.ports import free_block, free_port
from tests.kit.turning import Loop


def broker_settings(path: Path, **overrides: Any) -> BrokerSettings:
    values = {
        "storePathRootDir": str(path), "listenPort": 0, "bindAddress": "127.0.0.1", "mapedFileSizeCommitLog": 1 << 20,
        "mapedFileSizeConsumeQueue": 20000, "maxHashSlotNum": 100, "maxIndexNum": 400, "diskMaxUsedSpaceRatio": 95,
        **overrides,
    }  # fmt: skip
    return settings_of(**values)


def broker(loop: Loop, path: Path, **overrides: Any) -> Broker:
    return Broker(loop.reactor, broker_settings(path, **overrides))


def flush_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "rmq-flush" in thread.name]


def is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_life_and_the_next_one(loop: Loop, tmp_path: Path) -> None:
    first = broker(loop, tmp_path)
    loop.wait(first.start())
    assert first.port > 0
    assert first.address == f"127.0.0.1:{first.port}"
    assert first.name == "broker-a"
    assert first.name_servers == []
    client = RemotingClient(loop.reactor)
    sent = loop.wait(client.call(first.address, send_header("T", 1), b"hello"))
    assert sent.header.queue_offset == 0
    assert loop.wait(client.call(first.address, pull_header("T", queue_id=1))).code == 0
    loop.wait(client.call(first.address, UpdateConsumerOffset("G", "T", 1, 1)))
    assert (tmp_path / "abort").exists()
    loop.wait(first.stop())
    assert not (tmp_path / "abort").exists()
    assert not is_open(first.port)
    assert flush_threads() == []
    kept = json.loads((tmp_path / "config/topics.json").read_text())["topicConfigTable"]
    assert kept["T"]["writeQueueNums"] == 4
    loop.wait(first.stop())

    second = broker(loop, tmp_path)
    loop.wait(second.start())
    assert second.report is not None
    assert (second.report.clean, second.report.scanned_records) == (True, 0)
    answer = loop.wait(client.call(second.address, pull_header("T", queue_id=1)))
    assert [message.body for message in messages(answer)] == [b"hello"]
    assert loop.wait(client.call(second.address, QueryConsumerOffset("G", "T", 1))).header.offset == 1
    assert loop.wait(client.call(second.address, GetTopicConfig("T"))).json().read_queue_nums == 4
    client.close()
    loop.wait(second.stop())


def test_a_waiting_pull_is_answered_across_connections(loop: Loop, tmp_path: Path) -> None:
    running = broker(loop, tmp_path)
    loop.wait(running.start())
    reader, writer = RemotingClient(loop.reactor), RemotingClient(loop.reactor)
    loop.wait(writer.call(running.address, send_header("T"), b"1"))
    woken: list[Any] = []
    waiting = reader.call(running.address, pull_header("T", 1, sys_flag=6), timeout=10).addCallback(woken.append)
    loop.turn()
    assert woken == []
    loop.wait(writer.call(running.address, send_header("T"), b"2"))
    loop.wait(waiting)
    assert [message.body for message in messages(woken[0])] == [b"2"]
    reader.close()
    writer.close()
    loop.wait(running.stop())


def test_a_broker_is_started_once(loop: Loop, tmp_path: Path) -> None:
    running = broker(loop, tmp_path)
    loop.wait(running.start())
    port = running.port
    with pytest.raises(AlreadyStartedError, match="broker-a was started before"):
        running.start()
    assert (running.port, is_open(port)) == (port, True)
    loop.wait(running.stop())
    with pytest.raises(AlreadyStartedError):
        running.start()


def test_a_store_that_another_broker_holds(loop: Loop, tmp_path: Path) -> None:
    running = broker(loop, tmp_path)
    loop.wait(running.start())
    threads = flush_threads()
    late = broker(loop, tmp_path)
    with pytest.raises(StoreLockedError, match="is in use by another broker"):
        late.start()
    loop.turn()
    assert flush_threads() == threads
    loop.wait(late.stop())
    client = RemotingClient(loop.reactor)
    assert loop.wait(client.call(running.address, send_header("T"), b"x")).code == 0
    client.close()
    loop.wait(running.stop())


def test_a_port_that_is_taken(loop: Loop, tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        refused = broker(loop, tmp_path, listenPort=sock.getsockname()[1])
        with pytest.raises(ListenError, match="is another server running there"):
            refused.start()
    assert flush_threads() == []
    assert not (tmp_path / "lock").exists()
    loop.wait(refused.stop())


@pytest.mark.parametrize("near", [-2, 1])
def test_another_port_that_is_taken_is_a_warning_unless_all_are_needed(loop: Loop, tmp_path: Path, near: int) -> None:
    port = free_block(-2, 0, 1)
    with socket.create_server(("127.0.0.1", port + near)):
        refused = Broker(loop.reactor, broker_settings(tmp_path, listenPort=port), needs_all_ports=True)
        with pytest.raises(ListenError, match=f"^cannot listen on 127.0.0.1:{port + near}: "):
            refused.start()
        loop.turn()
        loop.wait(refused.stop())
        content = Broker(loop.reactor, broker_settings(tmp_path, listenPort=port))
        loop.wait(content.start())
        assert content.port == port
        loop.wait(content.stop())


@pytest.mark.parametrize(
    "name", ["topics.json", "subscriptionGroup.json", "consumerOffset.json", "users.json", "acls.json"]
)
def test_a_damaged_table_stops_the_start_and_frees_lock_and_port(loop: Loop, tmp_path: Path, name: str) -> None:
    (tmp_path / "config").mkdir()
    damaged = tmp_path / "config" / name
    damaged.write_text("{")
    refused = broker(loop, tmp_path)
    with pytest.raises(ConfigFileError, match=name):
        refused.start()
    loop.turn()
    assert flush_threads() == []
    assert not (tmp_path / "abort").exists()
    loop.wait(refused.stop())
    damaged.unlink()
    running = broker(loop, tmp_path)
    loop.wait(running.start())
    loop.wait(running.stop())


def test_a_broker_that_was_never_started_stops(loop: Loop, tmp_path: Path) -> None:
    loop.wait(broker(loop, tmp_path).stop())


def test_the_setting_silences_notifications(loop: Loop, tmp_path: Path) -> None:
    running = broker(loop, tmp_path, notifyConsumerIdsChangedEnable=False)
    loop.wait(running.start())
    told: list[int] = []

    class Handler:
        def dispatch(self, connection: Any, command: Any) -> None:
            told.append(command.code)

    client = RemotingClient(loop.reactor, Handler())
    loop.wait(client.call(running.address, Heartbeat(), heartbeat("c", "G", {"T": "*"})))
    loop.turn()
    assert told == []
    with pytest.raises(RemotingError, match=r"No topic in this broker\. topic: none"):
        loop.wait(client.call(running.address, GetTopicConfig("none")))
    client.close()
    loop.wait(running.stop())


def test_who_makes_a_topic_finds_its_route_and_those_of_all_others(loop: Loop, tmp_path: Path) -> None:
    settings = load_namesrv("listenPort=0\nbindAddress=127.0.0.1").settings
    namesrv = NameServer(loop.reactor, settings, MemoryFiles())
    namesrv.start()
    running = broker(loop, tmp_path, namesrvAddr=f"127.0.0.1:{namesrv.port}")
    loop.wait(running.start())
    before = set(namesrv.tables.topics)
    client = RemotingClient(loop.reactor)
    for name, call in (
        ("Sent", client.call(running.address, send_header("Sent"), b"x")),
        ("%RETRY%G", client.call(running.address, Heartbeat(), heartbeat("c", "G", {"T": "*"}))),
    ):
        loop.wait(call)
        assert namesrv.tables.topics[name].keys() == {"broker-a"}
    assert namesrv.tables.topics.keys() == {*before, "Sent", "%RETRY%G"} > {"TBW102"}
    client.close()
    loop.wait(running.stop())
    loop.wait(namesrv.stop())


def test_a_name_server_that_comes_back_or_comes_late_knows_the_broker_soon(loop: Loop, tmp_path: Path) -> None:
    port = free_port()

    def name_server() -> NameServer:
        made = NameServer(
            loop.reactor, load_namesrv(f"listenPort={port}\nbindAddress=127.0.0.1").settings, MemoryFiles()
        )
        made.start()
        return made

    running = broker(loop, tmp_path, namesrvAddr=f"127.0.0.1:{port}")
    loop.wait(running.start())
    late = name_server()
    loop.until(lambda: "TBW102" in late.tables.topics, 3)
    loop.wait(late.stop())
    loop.turn(20)
    again = name_server()
    assert again.tables.topics == {}
    loop.until(lambda: "TBW102" in again.tables.topics, 3)
    loop.wait(running.stop())
    assert again.tables.topics == {}
    loop.wait(again.stop())


def test_a_part_that_cannot_stop_does_not_keep_the_store_open(loop: Loop, tmp_path: Path) -> None:
    class Stubborn:
        def start(self) -> None: ...

        def stop(self) -> None:
            raise OSError("no")

    broker = Broker(loop.reactor, settings_of(storePathRootDir=str(tmp_path), brokerIP1="127.0.0.1", listenPort=0))
    loop.wait(broker.start())
    assert (tmp_path / "abort").exists()
    broker._services.insert(0, Stubborn())
    loop.wait(broker.stop())
    assert not (tmp_path / "abort").exists()


def test_users_outlive_a_broker_and_apaches_are_told_of(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "config" / "users").mkdir(parents=True)
    with logged() as told:
        first = broker(loop, tmp_path, initAuthenticationUser='{"username":"admin","password":"geheim"}')
        loop.wait(first.start())
        loop.wait(first.stop())
    foreign = f"{tmp_path}/config/users holds users of an Apache broker, which this one cannot read"
    assert [line for line in told if line.startswith(foreign)]
    assert not [line for line in told if "geheim" in line]
    second = broker(loop, tmp_path)
    loop.wait(second.start())
    client = RemotingClient(loop.reactor)
    answer = loop.wait(client.call(f"127.0.0.1:{second.port}", GetUser("admin")))
    assert answer.json(UserInfo) == UserInfo("admin", "geheim", "Super", "enable")
    client.close()
    loop.wait(second.stop())
