"""The route tables: what brokers said of themselves, as plain values. No sockets, no files, time from outside.

A broker group (a broker *name*) is a set of broker ids; id 0 is the master. Each (cluster, address) that registered
is *alive* until it unregisters, its connection closes, or it stays silent for its timeout. When the last address of
a name goes, the name's queues leave all topics. Topics are taken from the master, or, when the registration speaks
of acting masters at all, from the lowest id that is there.

Traps, all of them Apache's and relied on by brokers:
- queues are rewritten only when the registration's data version differs from the last one of that address, so a
  permission that was wiped here stays wiped until the broker changes something;
- a registration for a taken id from another address is refused without an error while the old one's state version
  is higher, which is how a deposed master is kept out;
- a first registration with exactly one topic is refused: it is a topic update of a broker that was forgotten.

Source: RouteInfoManager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from twisted.logger import Logger

from rmq.server.namesrv.registration import (
    LiveBroker,
    MinBrokerChange,
    Peer,
    Registered,
    Registration,
    RegistrationRefusedError,
    check_name,
    is_name,
)
from rmq.settings.namesrv import NamesrvConfig
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.route import BrokerData, QueueData
from rmq.wire.bodies.topic import PERM_READ, PERM_WRITE
from rmq.wire.bodies.version import DataVersion

MASTER_ID: Final = 0

MAX_BROKERS: Final = 10_000
"""Addresses that may be registered at one time."""
MAX_QUEUE_DATAS: Final = 1_000_000
"""Entries (topic, broker name) that may be registered at one time."""

log = Logger()


class RouteTables:
    """All that is registered.

    Args:
        config: the name server's settings; dynamic ones are read at each use.
        now: the time in seconds.
        notify: called when the lowest id of a group changed and brokers are to be told.

    Attributes:
        topics: topic -> broker name -> queues.
        brokers: broker name -> its addresses.
        clusters: cluster -> broker names.
        live: (cluster, address) -> the broker there.
        mappings: topic -> broker name -> static-topic mapping.
    """

    def __init__(
        self, config: NamesrvConfig, now: Callable[[], float], notify: Callable[[MinBrokerChange], None]
    ) -> None:
        self._config = config
        self._now = now
        self._notify = notify
        self._queue_datas = 0
        self.topics: dict[str, dict[str, QueueData]] = {}
        self.brokers: dict[str, BrokerData] = {}
        self.clusters: dict[str, set[str]] = {}
        self.live: dict[tuple[str, str], LiveBroker] = {}
        self.mappings: dict[str, dict[str, TopicQueueMappingInfo]] = {}

    # --- registration ---------------------------------------------------------------------------------------------

    def register(self, said: Registration) -> Registered:
        """Takes a broker in, or takes note of it again.

        Raises:
            InvalidParameterError: a name is not allowed.
            RegistrationRefusedError: one topic only without having registered before, or no room.
        """
        check_name("cluster", said.cluster)
        check_name("broker", said.name)
        check_name("broker address", said.address)
        key = (said.cluster, said.address)
        known = self.brokers.get(said.name)
        if self._is_deposed(said, known):
            self.live.pop(key, None)
            return Registered()
        if (known is None or said.broker_id not in known.broker_addrs) and len(said.topics) == 1:
            raise RegistrationRefusedError("register broker failed")
        self._check_room(key, said)
        self._leave_other_name(key, said.name)
        group, first, min_changed = self._join_group(said, known)
        if said.broker_id == MASTER_ID or (
            said.enable_acting_master is not None and said.broker_id == min(group.broker_addrs)
        ):
            self._take_topics(said, group, first)
        self._note_alive(key, said)
        if min_changed and self._config.notify_min_broker_id_changed:
            self._notify_change(group, None, said.ha_address)
        return self._master_of(group, said)

    def _check_room(self, key: tuple[str, str], said: Registration) -> None:
        if key not in self.live and len(self.live) >= MAX_BROKERS:
            raise RegistrationRefusedError(f"{MAX_BROKERS} brokers are registered, there is no room for another")
        if self._queue_datas + len(said.topics) > MAX_QUEUE_DATAS:
            fresh = sum(said.name not in self.topics.get(topic, ()) for topic in said.topics)
            if self._queue_datas + fresh > MAX_QUEUE_DATAS:
                raise RegistrationRefusedError(f"{MAX_QUEUE_DATAS} queues are the limit, there is no room for more")

    def _is_deposed(self, said: Registration, group: BrokerData | None) -> bool:
        holder = group.broker_addrs.get(said.broker_id) if group is not None else None
        if holder is None or holder == said.address:
            return False
        old = self.live.get((said.cluster, holder))
        if old is None or old.version.state_version <= said.version.state_version:
            return False
        log.warn(
            "ignored broker {address} as {name}-{id}: {holder} holds that id with a higher state version",
            address=said.address, name=said.name, id=said.broker_id, holder=holder,
        )  # fmt: skip
        return True

    def _leave_other_name(self, key: tuple[str, str], name: str) -> None:
        earlier = self.live.get(key)
        if earlier is not None and earlier.name != name:
            self._remove((earlier,))

    def _join_group(self, said: Registration, group: BrokerData | None) -> tuple[BrokerData, bool, bool]:
        """The group, whether this id is new in it, and whether its lowest id changed."""
        if group is None:
            group = self.brokers[said.name] = BrokerData(said.name, said.cluster)
        self.clusters.setdefault(said.cluster, set()).add(said.name)
        group.enable_acting_master = bool(said.enable_acting_master)
        group.zone_name = said.zone_name
        addresses = group.broker_addrs
        min_changed = bool(addresses) and said.broker_id < min(addresses)
        # A slave that became master keeps its address: one address, one id.
        for broker_id in [i for i, address in addresses.items() if address == said.address and i != said.broker_id]:
            del addresses[broker_id]
        first = said.broker_id not in addresses
        addresses[said.broker_id] = said.address
        return group, first, min_changed

    def _take_topics(self, said: Registration, group: BrokerData, first: bool) -> None:
        if self._config.delete_topic_with_broker_registration and not said.mappings:
            gone = [topic for topic, queues in self.topics.items() if said.name in queues and topic not in said.topics]
            for topic in gone:
                self._drop_queue(topic, said.name)
        changed = first or self.is_version_changed(said.cluster, said.address, said.version)
        acting = said.broker_id != MASTER_ID and group.enable_acting_master
        illegal: list[str] = []
        for config in said.topics.values():
            name = config.topic_name
            if not is_name(name):
                illegal.append(name)
            elif changed or said.name not in self.topics.get(name, ()):
                perm = config.perm & ~PERM_WRITE if acting else config.perm
                queue = QueueData(
                    said.name, config.read_queue_nums, config.write_queue_nums, perm, config.topic_sys_flag
                )
                self._put_queue(name, queue)
        if illegal:
            log.warn(
                "left out {count} topics of broker {name} {address}, their names are not allowed: {first!r:.80}",
                count=len(illegal), name=said.name, address=said.address, first=illegal[0],
            )  # fmt: skip
        if changed:
            for name, mapping in said.mappings.items():
                if is_name(name):
                    self.mappings.setdefault(name, {})[mapping.bname or said.name] = mapping

    def _put_queue(self, topic: str, queue: QueueData) -> None:
        queues = self.topics.get(topic)
        if queues is None or queue.broker_name not in queues:
            self._queue_datas += 1
            queues = self.topics.setdefault(topic, {})
        queues[queue.broker_name] = queue

    def _note_alive(self, key: tuple[str, str], said: Registration) -> None:
        earlier = self.live.get(key)
        timeout = self._config.broker_expired_time if said.timeout_millis is None else said.timeout_millis
        self.live[key] = LiveBroker(
            said.cluster, said.name, said.broker_id, said.address, said.ha_address, said.version,
            self._now(), timeout / 1000, said.peer, said.filter_servers,
        )  # fmt: skip
        if earlier is None:
            log.info(
                "registered broker {name}-{id} {address} of {cluster}, {count} topics",
                name=said.name, id=said.broker_id, address=said.address, cluster=said.cluster, count=len(said.topics),
            )  # fmt: skip

    def _master_of(self, group: BrokerData, said: Registration) -> Registered:
        master = group.broker_addrs.get(MASTER_ID) if said.broker_id != MASTER_ID else None
        alive = self.live.get((said.cluster, master)) if master is not None else None
        return Registered(master, alive.ha_address) if alive is not None else Registered()

    def is_version_changed(self, cluster: str, address: str, version: DataVersion) -> bool:
        """Whether the last registration of an address carried another data version, or there was none."""
        return self.version_of(cluster, address) != version

    def version_of(self, cluster: str, address: str) -> DataVersion | None:
        """The data version of the last registration of an address."""
        alive = self.live.get((cluster, address))
        return alive.version if alive is not None else None

    def heartbeat(self, cluster: str, address: str) -> None:
        """Notes that a broker is alive; unknown ones are passed over."""
        alive = self.live.get((cluster, address))
        if alive is not None:
            alive.last_seen = self._now()

    # --- leaving --------------------------------------------------------------------------------------------------

    def unregister(self, cluster: str, address: str, name: str, broker_id: int) -> None:
        """Takes a broker out (UNREGISTER_BROKER); unknown ones are passed over."""
        alive = self.live.get((cluster, address))
        if alive is None or alive.name != name:
            alive = LiveBroker(cluster, name, broker_id, address, "", DataVersion(), 0.0, 0.0, None, [])
        self._remove((alive,))

    def peer_gone(self, peer: Peer) -> None:
        """Takes out the brokers whose connection has closed."""
        self._remove([alive for alive in self.live.values() if alive.peer is peer])

    def expire(self) -> None:
        """Takes out the brokers that were silent for too long, and closes their connections."""
        now = self._now()
        silent = [alive for alive in self.live.values() if alive.last_seen + alive.timeout < now]
        for alive in silent:
            log.warn("broker {address} was silent for {timeout} s", address=alive.address, timeout=alive.timeout)
        self._remove(silent)
        for alive in silent:
            if alive.peer is not None:
                alive.peer.close()

    def _remove(self, leaving: Iterable[LiveBroker]) -> None:
        gone: set[str] = set()
        reduced: dict[str, str | None] = {}
        for alive in leaving:
            self.live.pop((alive.cluster, alive.address), None)
            group = self.brokers.get(alive.name)
            if group is None:
                continue
            lowest = min(group.broker_addrs, default=None)
            held = [i for i, address in group.broker_addrs.items() if address == alive.address]
            for broker_id in held:
                del group.broker_addrs[broker_id]
            if not held:
                continue
            log.info("broker {name} {address} left", name=alive.name, address=alive.address)
            if group.broker_addrs:
                reduced[alive.name] = alive.address if lowest in held else reduced.get(alive.name)
            else:
                self._forget_name(alive.name)
                gone.add(alive.name)
        self._clean_topics(gone, [name for name in reduced if name not in gone])
        for name, offline in reduced.items():
            group = self.brokers.get(name)
            if offline and group and group.enable_acting_master and self._config.notify_min_broker_id_changed:
                self._notify_change(group, offline, None)

    def _forget_name(self, name: str) -> None:
        del self.brokers[name]
        for cluster in [cluster for cluster, names in self.clusters.items() if name in names]:
            self.clusters[cluster].discard(name)
            if not self.clusters[cluster]:
                del self.clusters[cluster]

    def _clean_topics(self, gone: set[str], reduced: list[str]) -> None:
        if not gone and not reduced:
            return
        masterless = [
            name for name in reduced
            if self.brokers[name].enable_acting_master and MASTER_ID not in self.brokers[name].broker_addrs
        ]  # fmt: skip
        for topic in list(self.topics):
            queues = self.topics[topic]
            for name in gone & queues.keys():
                self._drop_queue(topic, name)
            for name in masterless:
                if name in queues:
                    queues[name].perm &= ~PERM_WRITE
        for topic in [topic for topic, mappings in self.mappings.items() if gone & mappings.keys()]:
            for name in gone & self.mappings[topic].keys():
                del self.mappings[topic][name]
            if not self.mappings[topic]:
                del self.mappings[topic]

    def _drop_queue(self, topic: str, name: str) -> None:
        queues = self.topics[topic]
        del queues[name]
        self._queue_datas -= 1
        if not queues:
            del self.topics[topic]
        # A topic of that name may come back as an ordinary one.
        mappings = self.mappings.get(topic, {})
        mappings.pop(name, None)
        if not mappings:
            self.mappings.pop(topic, None)

    def _notify_change(self, group: BrokerData, offline: str | None, ha_address: str | None) -> None:
        addresses = group.broker_addrs
        lowest = min(addresses)
        everybody = offline is not None or len(addresses) == 1
        tell = tuple(address for broker_id, address in addresses.items() if everybody or broker_id != lowest)
        self._notify(MinBrokerChange(lowest, addresses[lowest], offline, ha_address, tell))

    # --- single topics and permissions ----------------------------------------------------------------------------

    def register_topic(self, topic: str, queues: Iterable[QueueData]) -> None:
        """Takes in a topic's queues on known brokers (REGISTER_TOPIC_IN_NAMESRV); stops at an unknown broker.

        Raises:
            InvalidParameterError: the name is not allowed.
            RegistrationRefusedError: no room.
        """
        check_name("topic", topic)
        for queue in queues:
            if self._queue_datas >= MAX_QUEUE_DATAS:
                raise RegistrationRefusedError(f"{MAX_QUEUE_DATAS} queues are the limit, there is no room for more")
            if queue.broker_name not in self.brokers:
                log.warn("topic {topic} names unknown broker {name!r:.80}", topic=topic, name=queue.broker_name)
                return
            self._put_queue(topic, queue)

    def delete_topic(self, topic: str, cluster: str | None = None) -> None:
        """Removes a topic's queues, on the brokers of one cluster or everywhere."""
        names = self.clusters.get(cluster, set()) if cluster else self.topics.get(topic, {}).keys()
        for name in list(names):
            if name in self.topics.get(topic, ()):
                self._drop_queue(topic, name)

    def wipe_write_perm(self, name: str) -> int:
        """Takes write permission from all topics of a broker; returns how many there are."""
        queues = list(self._queues_of(name))
        for queue in queues:
            queue.perm &= ~PERM_WRITE
        return len(queues)

    def add_write_perm(self, name: str) -> int:
        """Makes all topics of a broker readable and writable; returns how many there are."""
        queues = list(self._queues_of(name))
        for queue in queues:
            queue.perm = PERM_READ | PERM_WRITE
        return len(queues)

    def _queues_of(self, name: str) -> Iterator[QueueData]:
        return (queues[name] for queues in self.topics.values() if name in queues)
