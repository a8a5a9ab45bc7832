"""What is done to a cluster under the load of the Java program `Replicas`, and what must hold after each blow."""

import random
import time
from collections.abc import Iterable

from tests.kit.failover import ReplicasProgram, lost
from tests.kit.members import Broker
from tests.kit.replicas import Cluster, Place, assert_same_log, held, wait_in_step

TOPIC, QUEUES = "Replicated", 4

BACKLOG = 100
"""Messages that the consumer has yet to get when the master dies."""
FEW = 20
"""Answers that show that sending goes on."""
AT_ONCE = 5.0
"""Seconds in which a slave makes readable what it has."""
GAP = 30.0
"""Seconds in which a consumer goes on elsewhere."""
TIMED_OUT = "FLUSH_SLAVE_TIMEOUT"


class Rounds:
    """Blows at a cluster, each checked.

    Args:
        complete: whether an acknowledged message is on the slave (synchronous double write).
    """

    def __init__(self, cluster: Cluster, program: ReplicasProgram, *, complete: bool, seed: str) -> None:
        self._cluster = cluster
        self._program = program
        self._complete = complete
        self._moments = random.Random(seed)

    def begin(self) -> None:
        """Until everything runs: sends are acknowledged by every master, each with its slave in step."""
        self.goes_on()
        for master in self._cluster.masters:
            if self._cluster.slaves_of(master):
                wait_in_step(master)

    def goes_on(self, *without: Broker) -> None:
        """Until further sends are acknowledged by every other master."""
        for master in self._cluster.masters:
            if master not in without:
                self._program.wait_answers(master.broker_name, FEW)

    def master_dies(self, master: Broker) -> None:
        """kill -9 of a master while the consumer is behind; the slave serves it, until the master is back."""
        name, slave = master.broker_name, self._cluster.slave_of(master)
        self._program.suspend()
        self._program.wait_answers(name, BACKLOG)
        time.sleep(self._moments.uniform(0, 0.3))  # the moment of the kill is an input of the test
        master.kill()
        acknowledged = self._program.read().with_status(name)
        missing = self._missing(slave, seconds=AT_ONCE if self._complete else 0)
        assert not (missing and self._complete), f"{len(missing)} are not on {slave.name}: {_some(missing.items())}"
        backlog = self._program.read().unconsumed(acknowledged.values())
        served = set(acknowledged.values()) - set(missing.values())
        self._program.resume()
        gap = self._program.wait_consumed(served, timeout=GAP)
        self.goes_on(master)
        print(
            f"{master.name} killed: {len(acknowledged)} acknowledged, {len(missing)} not on the slave yet, "
            f"{len(backlog)} not consumed at the kill, consumed after {gap:.1f} s",
            flush=True,
        )
        self._returns(master)
        self._check(master)
        self._program.wait_consumed(acknowledged.values(), timeout=GAP)

    def slave_dies(self, master: Broker) -> None:
        """kill -9 of a slave; what its master took meanwhile is there after its return."""
        name, slave = master.broker_name, self._cluster.slave_of(master)
        slave.kill()
        self._program.wait_answers(name, 4, *([TIMED_OUT] if self._complete else []))
        slave.start()
        self._cluster.wait_registered(slave)
        wait_in_step(master)
        self._program.wait_answers(name, FEW)
        self._check(slave)
        print(f"{slave.name} killed, and back", flush=True)

    def master_leaves(self, master: Broker) -> None:
        """kill -9 of a master without a slave: the others go on, and what it holds is there when it is back."""
        master.kill()
        acknowledged = self._program.read().with_status(master.broker_name)
        self.goes_on(master)
        self._returns(master)
        self._check(master)
        self._program.wait_consumed(acknowledged.values(), timeout=GAP)
        print(f"{master.name} killed, and back", flush=True)

    def finish(self) -> None:
        """Nothing is lost or invented, and the logs of master and slave are the same."""
        evidence = self._program.stop_sending()
        for master in self._cluster.masters:
            slaves = self._cluster.slaves_of(master)
            for slave in slaves:
                print(f"{master.name}: {assert_same_log(master, slave)} bytes in step", flush=True)
            for member in (master, *slaves):
                self._check(member)
        answered = set(evidence.answers)
        self._program.wait_consumed(answered, timeout=GAP)
        assert self._program.read().misled() == []
        print(f"{len(answered)} messages answered; failures {dict(evidence.failures)}", flush=True)

    def _returns(self, master: Broker) -> None:
        master.start()
        self._cluster.wait_registered(master)
        if self._cluster.slaves_of(master):
            wait_in_step(master)
        self._program.wait_answers(master.broker_name, FEW)

    def _missing(self, member: Broker, *statuses: str, seconds: float) -> dict[Place, str]:
        """What was answered by now and is not at its place there, or not in time; only the ends of queues may be."""
        acknowledged = self._program.read().with_status(member.broker_name, *statuses)
        deadline = time.monotonic() + seconds
        while True:
            found = held(member, TOPIC, QUEUES)
            missing = lost(acknowledged, found, self._program.read().sent)
            if not missing or time.monotonic() > deadline:
                break
        misplaced = missing.keys() & found.keys()
        assert not misplaced, f"{member.name} holds something else at {_some(misplaced)}"
        return missing

    def _check(self, member: Broker) -> None:
        """Everything that was answered by now is there."""
        missing = self._missing(member, "SEND_OK", TIMED_OUT, seconds=AT_ONCE)
        assert not missing, f"{len(missing)} are not on {member.name}: {_some(missing.items())}"


def _some(items: Iterable[object]) -> str:
    return str(sorted(items, key=str)[:5])
