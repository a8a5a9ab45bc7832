"""The parts that only a slave has, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rmq.remoting.calls import Invoker
from rmq.remoting.client import RemotingClient
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.modes import ModeTable
from rmq.server.broker.processors.slave import SlaveReads
from rmq.server.broker.slave.offsets import SlaveOffsets
from rmq.server.broker.slave.service import SlaveService
from rmq.server.broker.slave.sync import MetadataSync
from rmq.server.broker.slave.watch import MasterWatch
from rmq.server.delivery.hold import PullHold
from rmq.server.ha.slave import HaSlave
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings


class Slave:
    """A broker's part as a slave.

    Args:
        client: asks the master for its tables.
        log_client: asks it for its log, see `rmq.server.ha.common`.
        hurry: see `SlaveService`.

    Attributes:
        replication: fetches the log.
        service: keeps the tables equal to the master's.
        reads: what is different for those who read here.
    """

    def __init__(
        self,
        reactor: Any,
        settings: BrokerSettings,
        store: MessageStore,
        hold: PullHold,
        client: RemotingClient,
        log_client: Invoker,
        topics: TopicTable,
        mappings: MappingTable,
        groups: GroupTable,
        offsets: SlaveOffsets,
        modes: ModeTable,
        delays: DelayService,
        hurry: Callable[[float | None], None],
    ) -> None:
        watch = MasterWatch(client)
        watch.on_return.append(hold.release_all)
        sync = MetadataSync(
            settings, watch, store,
            topics=topics, mappings=mappings, groups=groups, offsets=offsets, modes=modes, delays=delays,
        )  # fmt: skip
        self.replication = HaSlave(
            reactor, store, settings, log_client, on_read=hold.wake, on_following=self._following
        )
        self.service = SlaveService(reactor, self.replication, watch, sync, topics, delays, hurry)
        self.reads = SlaveReads(settings, watch)
        store.on_new_topic = self.service.new_queue
        # What came right before the last end, when the master could not tell of its topic any more.
        for topic, queue_id in store.queues():
            self.service.new_queue(topic, queue_id)

    def _following(self) -> None:
        self.service.following()
