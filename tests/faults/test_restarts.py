"""Every process of a cluster ends and comes back, in any order, while a producer sends: it converges by itself.

By hand, with more rounds:

    RMQ_HA_ROUNDS=10 python -m pytest -s tests/faults/test_restarts.py
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.client import Message, ProducerConfig, blocking
from rmq.client.config import ClientConfig
from rmq.wire.errors import RemotingError
from tests.kit import toolchains
from tests.kit.driver import wait_until
from tests.kit.failover import Answer, Evidence, lost
from tests.kit.members import Member
from tests.kit.replicas import Cluster, assert_same_log, held, routed, wait_in_step
from tests.kit.server import chosen_kind

ROUNDS = int(os.environ.get("RMQ_HA_ROUNDS", "2"))
TOPIC, QUEUES = "Restarted", 4
NAMES = ("broker-a", "broker-a-s", "broker-b", "broker-b-s")
SETTINGS = {"registerNameServerPeriod": "10000", "mappedFileSizeCommitLog": str(1024 * 1024)}
"""The shortest that brokers take: a name server that has come back waits for their next word. And logs that roll."""
CONVERGENCE = 60.0
FEW = 20
STATUSES = ("SEND_OK", "FLUSH_SLAVE_TIMEOUT")


class Load:
    """Our own producer in a thread: each message once, whatever becomes of it."""

    def __init__(self, namesrv_addr: str) -> None:
        self.evidence = Evidence()
        config = ClientConfig(namesrv_addr=namesrv_addr, poll_name_server_interval=1.0)
        sending = ProducerConfig(send_timeout=5.0, retry_times=0)
        self._producer = blocking.Producer("restarting", config=sending, client_config=config)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._producer.start()
        self._thread.start()

    def stop(self) -> Evidence:
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._producer.shutdown()
        return self.evidence

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(0.005):
            name = f"r-{number}"
            number += 1
            self.evidence.sent.add(name)
            try:
                result = self._producer.send(Message(TOPIC, f"{name} {'.' * (number % 700)}".encode()))
            except RemotingError as error:
                self.evidence.failures[type(error).__name__] += 1
                self._stopping.wait(0.05)
                continue
            queue = result.message_queue
            place = (queue.queue_id, result.queue_offset)
            status = result.send_status.name
            self.evidence.answers[name] = Answer(queue.broker_name, place, status, int(time.time() * 1000))

    def safe(self, broker_name: str) -> int:
        """How many sends to a broker name were acknowledged."""
        return sum(a.broker == broker_name and a.status == "SEND_OK" for a in list(self.evidence.answers.values()))

    def wait_safe(self, broker_name: str) -> None:
        """Until a few more sends there are acknowledged."""
        before = self.safe(broker_name)
        wait_until(
            lambda: self.safe(broker_name) >= before + FEW,
            timeout=CONVERGENCE,
            what=lambda: f"no sends to {broker_name}; failures {dict(self.evidence.failures)}",
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    running = Cluster(tmp_path, "2m-2s-sync", dict.fromkeys(NAMES, kind), namesrvs=(kind, kind), extra=SETTINGS)
    try:
        running.start()
        running.create_topic(TOPIC, QUEUES)
        running.wait_topic(TOPIC)
        yield running
    finally:
        running.kill()


def restart(member: Member, *, clean: bool) -> None:
    if clean:
        member.stop()
    else:
        member.kill()
    member.start()


def wait_converged(cluster: Cluster, load: Load) -> None:
    """Every name server knows every broker, slaves follow, sends to every master are acknowledged."""
    wanted: dict[str, dict[int, str]] = {}
    for broker in cluster.brokers.values():
        wanted.setdefault(broker.broker_name, {})[broker.broker_id] = broker.address
    wait_until(
        lambda: all(routed(namesrv.address, TOPIC) == wanted for namesrv in cluster.namesrvs),
        timeout=CONVERGENCE,
        what=lambda: f"{[routed(namesrv.address, TOPIC) for namesrv in cluster.namesrvs]} are not {wanted}",
    )
    for master in cluster.masters:
        wait_in_step(master, timeout=CONVERGENCE)
        load.wait_safe(master.broker_name)


@pytest.mark.timeout(240 + 120 * ROUNDS)
def test_restart_of_everything(cluster: Cluster) -> None:
    orders = random.Random(f"{ROUNDS} rounds")
    load = Load(cluster.namesrv_addr)
    load.start()
    try:
        wait_converged(cluster, load)
        for number in range(ROUNDS):
            members = list(cluster.members)
            orders.shuffle(members)
            for member in members:
                restart(member, clean=orders.random() < 0.5)
            began = time.monotonic()
            wait_converged(cluster, load)
            print(
                f"round {number}: {[member.name for member in members]}, "
                f"converged {time.monotonic() - began:.1f} s after the last start",
                flush=True,
            )
    finally:
        evidence = load.stop()
    print(f"{len(evidence.answers)} answers, failures {dict(evidence.failures)}", flush=True)
    for master in cluster.masters:
        slave = cluster.slave_of(master)
        assert_same_log(master, slave)
        content = held(master, TOPIC, QUEUES)
        assert lost(evidence.with_status(master.broker_name, *STATUSES), content, evidence.sent) == {}
        assert held(slave, TOPIC, QUEUES) == content
