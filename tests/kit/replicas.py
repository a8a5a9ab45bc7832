"""Clusters of masters and slaves from the sample files under conf/, and what each of their members holds.

A sample file is taken as it is; added is only what makes its member a process of its own on this machine: ports,
directories, name servers, and files small enough to roll during a test.
"""

import hashlib
import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rmq.wire.message import decode_messages
from tests.kit.driver import wait_until
from tests.kit.frames import GET_BROKER_CLUSTER_INFO, GET_ROUTE_BY_TOPIC, NoAnswerError, ask, create_topic
from tests.kit.load import Channel
from tests.kit.members import Broker, Member, Namesrv
from tests.kit.ports import free_block
from tests.kit.server import BASE_CONFIG
from tests.kit.toolchains import ROOT

GET_MAX_OFFSET, PULL_MESSAGE, GET_TOPIC_CONFIG, GET_BROKER_HA_STATUS = 30, 11, 351, 907

LOG_FILE_SIZE: Final = 16 * 1024 * 1024
LEARNING: Final = 5.0
"""Seconds in which a slave that got a topic's first message has its settings too."""
_NOTHING_NOW: Final = frozenset({19, 20})
"""PULL_NOT_FOUND, and PULL_RETRY_IMMEDIATELY, which Apache's slave says in its place."""
_OWN_KEYS: Final = {
    key: BASE_CONFIG[key]
    for key in (
        "sendThreadPoolQueueCapacity", "waitTimeMillsInSendQueue", "diskMaxUsedSpaceRatio", "cleanFileForciblyEnable",
    )
}  # fmt: skip

Place = tuple[int, int]
"""Queue and offset."""


class Cluster:
    """Name servers, and a broker for each settings file of a mode.

    Args:
        home: directory in which each member has one of its own.
        mode: a directory under conf/, such as `2m-2s-sync`.
        kinds: kind of each member by name, or one for all brokers; a member is called like its file (`broker-a-s`).
        namesrvs: kind of each name server.
        extra: settings of every broker over those of its file.

    Attributes:
        brokers: by name; those that `kinds` does not name are not there.
    """

    def __init__(
        self,
        home: Path,
        mode: str,
        kinds: Mapping[str, str],
        *,
        namesrvs: Sequence[str] = ("rmq",),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        ports = _distinct_ports(len(namesrvs) + len(kinds))
        self.namesrvs = [
            Namesrv(f"namesrv-{i}", kind, home / f"namesrv-{i}", {"listenPort": str(next(ports))})
            for i, kind in enumerate(namesrvs)
        ]
        self.namesrv_addr = ";".join(namesrv.address for namesrv in self.namesrvs)
        self.brokers: dict[str, Broker] = {}
        for name, kind in kinds.items():
            store = home / name / "store"
            own = {
                "listenPort": str(next(ports)),
                "brokerIP1": "127.0.0.1",
                "brokerIP2": "127.0.0.1",
                "namesrvAddr": self.namesrv_addr,
                "storePathRootDir": str(store),
                "storePathCommitLog": str(store / "commitlog"),
                "mappedFileSizeCommitLog": str(LOG_FILE_SIZE),
            }
            sample = properties(ROOT / "conf" / mode / f"{name}.properties")
            self.brokers[name] = Broker(name, kind, home / name, {**sample, **_OWN_KEYS, **own, **(extra or {})})

    @property
    def members(self) -> list[Member]:
        return [*self.namesrvs, *self.brokers.values()]

    @property
    def masters(self) -> list[Broker]:
        return [broker for broker in self.brokers.values() if broker.broker_id == 0]

    def slaves_of(self, master: Broker) -> list[Broker]:
        same_name = (each for each in self.brokers.values() if each.broker_name == master.broker_name)
        return [each for each in same_name if each.broker_id != 0]

    def slave_of(self, master: Broker) -> Broker:
        """Its only slave."""
        (slave,) = self.slaves_of(master)
        return slave

    def start(self) -> None:
        """All members, ready and known to one another when this returns."""
        for namesrv in self.namesrvs:
            namesrv.start()
        for broker in self.brokers.values():
            broker.spawn()
        for broker in self.brokers.values():
            broker.wait_started()
        for broker in self.brokers.values():
            self.wait_registered(broker)

    def kill(self) -> None:
        for member in reversed(self.members):
            member.kill()

    def wait_registered(self, broker: Broker, *, timeout: float = 60.0) -> None:
        """Until every name server gives this broker's address for its name and id."""
        if broker.kind == "apache":
            broker.hurry_registration()
        wait_until(
            lambda: all(registered(namesrv.address, broker) for namesrv in self.namesrvs),
            timeout=timeout,
            what=lambda: f"{broker.name} is not known to {self.namesrv_addr}",
        )

    def create_topic(self, topic: str, queues: int) -> None:
        """At every master; Apache's slaves would learn of it after a minute, and take it from anybody before."""
        for broker in self.brokers.values():
            if broker.broker_id == 0 or broker.kind == "apache":
                create_topic(self.namesrvs[0].address, broker.address, topic, queues)

    def wait_topic(self, topic: str, *, timeout: float = 30.0) -> None:
        """Until every name server has the topic's route at every master; a slave may learn with its first message."""
        names = {master.broker_name for master in self.masters}
        wait_until(
            lambda: all(names <= routed(namesrv.address, topic).keys() for namesrv in self.namesrvs),
            timeout=timeout,
            what=lambda: f"{topic} is not at {names} for {self.namesrv_addr}",
        )


def properties(path: Path) -> dict[str, str]:
    """A .properties file of plain lines."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _distinct_ports(count: int) -> Iterator[int]:
    """Ports that overlap with none of the others' neighbours."""
    found: list[int] = []
    while len(found) < count:
        port = free_block(-2, 0, 1)
        if all(abs(port - other) > 3 for other in found):
            found.append(port)
    random.shuffle(found)
    return iter(found)


# --- name servers -----------------------------------------------------------------------------------------------------


def registered(namesrv_addr: str, broker: Broker) -> bool:
    """Whether the name server gives this broker's address for its name and id."""
    try:
        _, body = ask(namesrv_addr, GET_BROKER_CLUSTER_INFO)
    except NoAnswerError:
        return False
    return addresses_of(body, broker.broker_name).get(broker.broker_id) == broker.address


def addresses_of(cluster_info: bytes, broker_name: str) -> dict[int, str]:
    """Address by broker id."""
    found = json.loads(quoted(cluster_info))["brokerAddrTable"].get(broker_name, {"brokerAddrs": {}})
    return {int(number): address for number, address in found["brokerAddrs"].items()}


def routed(namesrv_addr: str, topic: str) -> dict[str, dict[int, str]]:
    """Broker addresses by name and id, from the topic's route; empty when there is none."""
    try:
        header, body = ask(namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": topic})
    except NoAnswerError:
        return {}
    if header["code"] != 0:
        return {}
    brokers = json.loads(quoted(body))["brokerDatas"]
    return {
        broker["brokerName"]: {int(number): address for number, address in broker["brokerAddrs"].items()}
        for broker in brokers
    }


def quoted(body: bytes) -> str:
    """JSON as Java writes it, with its bare whole-number keys in quotes."""
    return re.sub(r"([{,])(\d+):", r'\1"\2":', body.decode())


# --- brokers ----------------------------------------------------------------------------------------------------------


def topic_known(broker: Broker, topic: str) -> bool:
    try:
        return bool(ask(broker.address, GET_TOPIC_CONFIG, {"topic": topic})[0]["code"] == 0)
    except NoAnswerError:
        return False


def ha_status(broker: Broker) -> dict[str, Any]:
    """What the broker says of replication; empty when it does not answer."""
    try:
        header, body = ask(broker.address, GET_BROKER_HA_STATUS)
    except NoAnswerError:
        return {}
    if header["code"] != 0:
        return {}
    status: dict[str, Any] = json.loads(body)
    return status


def acknowledged_by_slaves(master: Broker) -> list[int]:
    """How far each connected slave says it is."""
    return [each["slaveAckOffset"] for each in ha_status(master).get("haConnectionInfo") or ()]


def log_end(master: Broker) -> int:
    """Where the log of a master that runs ends; 0 when it does not answer."""
    return int(ha_status(master).get("masterCommitLogMaxOffset", 0))


def wait_in_step(master: Broker, *, timeout: float = 60.0) -> int:
    """Until its slave has all that the master had when this was called; the offset up to which that is."""
    end = log_end(master)
    wait_until(
        lambda: any(offset >= end for offset in acknowledged_by_slaves(master)),
        timeout=timeout,
        what=lambda: f"slaves of {master.name} have {acknowledged_by_slaves(master)} of {end} bytes",
    )
    return end


def log_digest(broker: Broker, end: int) -> str:
    """Digest of the log's bytes from its beginning to an offset."""
    found = hashlib.sha256()
    for path in sorted((broker.store_dir / "commitlog").iterdir()):
        wanted = end - int(path.name)
        if wanted > 0:
            with path.open("rb") as file:
                found.update(path.name.encode() + file.read(wanted))
    return found.hexdigest()


def assert_same_log(master: Broker, slave: Broker) -> int:
    """The two logs hold the same bytes up to the master's end, at which nobody may be writing; that offset."""
    end = wait_in_step(master)
    assert end > 0
    assert log_digest(master, end) == log_digest(slave, end), f"{master.name} and {slave.name} differ below {end}"
    return end


def held(broker: Broker, topic: str, queues: int, *, timeout: float = 20.0) -> dict[Place, bytes]:
    """The body at each place of a topic, as this very broker serves it.

    Every queue is read from its first to its last offset, which must follow one another without a gap.
    """
    wait_until(lambda: topic_known(broker, topic), timeout=LEARNING, what=lambda: f"{broker.name} has no {topic}")
    channel = Channel(broker.address)
    try:
        return {
            (queue_id, offset): body
            for queue_id in range(queues)
            for offset, body in enumerate(_queue(channel, topic, queue_id, time.monotonic() + timeout))
        }
    finally:
        channel.close()


def _queue(channel: Channel, topic: str, queue_id: int, deadline: float) -> Iterator[bytes]:
    place = {"topic": topic, "queueId": str(queue_id)}
    end = int(channel.ask(GET_MAX_OFFSET, place).ext["offset"])
    offset = 0
    while offset < end:
        ext = {
            **place, "consumerGroup": "reader", "queueOffset": str(offset), "maxMsgNums": "32", "sysFlag": "4",
            "commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0",
            "expressionType": "TAG",
        }  # fmt: skip
        reply = channel.ask(PULL_MESSAGE, ext)
        assert reply.code == 0 or (reply.code in _NOTHING_NOW and time.monotonic() < deadline), (
            f"{topic} {queue_id}: offset {offset} of {end} answered {reply.code} {reply.remark}"
        )
        if reply.code != 0:
            time.sleep(0.02)
            continue
        for message in decode_messages(reply.body):
            assert message.queue_offset == offset, f"queue {queue_id} jumps to {message.queue_offset} at {offset}"
            assert message.body_is_sound
            yield message.body
            offset += 1
