"""A slave beside its master.

Every three seconds the master is asked how far deliveries have come; everything else is synchronized when the master
is reached anew, when the stream of its log begins anew, when the log brings messages of a topic that nobody told of,
and once a minute. While the master is away, topics that are known from the log alone become readable, and the name
servers are asked often, because they tell where the master is.

Source: BrokerController.startBasicService, SlaveSynchronize.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall, Repeat
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.slave.sync import MetadataSync
from rmq.server.broker.slave.watch import MasterWatch

POLL_SECONDS: Final = 3.0
"""Pause between two questions how far deliveries have come, and between registrations while the master is away."""
SYNC_SECONDS: Final = 60.0
"""Longest pause between two synchronizations of everything (SlaveSynchronize)."""
GATHER_SECONDS: Final = 0.2
"""How long topics that the log brings are gathered before the master is asked for them."""

log = Logger()


class Replication(Protocol):
    """What is told of the master: `rmq.server.ha.slave.HaSlave`."""

    @property
    def is_following(self) -> bool:
        """Whether the stream of the master's log stands, so that both logs are known to be one."""
        ...

    def master_is(self, address: str | None, ha_address: str | None) -> None:
        """Name servers say where the master is, and where its log comes from; None when they know of none."""
        ...


class SlaveService:
    """Does what the module says.

    Args:
        clock: time and calls later.
        replication: fetches the log; started and stopped by whoever made it.
        watch: asks the master; a `MetadataSync` over it is `sync`.
        sync: copies the tables.
        topics: gets what the log alone knows of.
        delays: told that the log may have been made shorter.
        hurry: told how many seconds may lie between two registrations, None for as many as ever.
    """

    def __init__(
        self,
        clock: Clock,
        replication: Replication,
        watch: MasterWatch,
        sync: MetadataSync,
        topics: TopicTable,
        delays: DelayService,
        hurry: Callable[[float | None], None],
    ) -> None:
        self._clock = clock
        self._replication = replication
        self._sync = sync
        self._topics = topics
        self._delays = delays
        self._hurry = hurry
        self._polls = Repeat(clock, self._poll)
        self._gathering: DelayedCall | None = None
        self._polling = self._syncing = False
        self._wanted = True
        self._synced_at = 0.0
        self._stopped = False
        self._found: dict[str, int] = {}
        self.watch = watch
        watch.on_away.append(self._gone)
        watch.on_return.append(self._back)

    def start(self) -> None:
        """Begins."""
        self._hurry(POLL_SECONDS)
        self._polls.start(POLL_SECONDS)

    def stop(self) -> None:
        """Ends it."""
        self._stopped = True
        self._sync.stop()
        self._polls.stop()
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    # --- what others tell

    def master_is(self, address: str | None, ha_address: str | None) -> None:
        """Name servers say where the master is; None when they know of none."""
        if self._stopped:
            return
        if address is not None and address != self.watch.address:
            self._sync.restart()
            self._wanted = True
        self.watch.master_is(address)
        self._replication.master_is(address, ha_address)
        self._poll()

    def following(self) -> None:
        """The stream of the master's log begins; nothing has come of it yet."""
        if self._stopped:
            return
        self._sync.restart()
        try:
            self._delays.cut()
        except OSError as error:
            log.error("the timer cannot be made to fit the log now: {error}", error=error)
        self._want()

    def new_queue(self, topic: str, queue_id: int) -> None:
        """The log brought a message of a queue that was empty until then."""
        config = self._topics.configs.get(topic)
        if config is not None and queue_id < config.read_queue_nums:
            return
        self._found[topic] = max(self._found.get(topic, 0), queue_id + 1)
        if self._gathering is None and not self._stopped:
            self._gathering = self._clock.callLater(GATHER_SECONDS, self._gathered)

    # --- work

    def _gathered(self) -> None:
        self._gathering = None
        if self.watch.away:
            self._discover()
        self._want()

    def _want(self) -> None:
        """Synchronizes everything as soon as that is possible."""
        self._wanted = True
        if self.watch.reachable:
            self._begin()
        else:
            self._poll()

    def _poll(self) -> None:
        if self._polling or self._stopped or self.watch.address is None:
            return
        self._polling = True
        self._run(self._sync.follow(), self._polled)

    def _polled(self) -> None:
        self._polling = False
        if not self.watch.reachable:
            self._wanted = True
        elif self._wanted or self._clock.seconds() - self._synced_at >= SYNC_SECONDS:
            self._begin()

    def _begin(self) -> None:
        # Tables of a master with another log - one that was started on an empty store, say - are not for this one.
        if self._syncing or self._stopped or not self._replication.is_following:
            return
        self._wanted = False
        self._syncing = True
        self._run(self._synchronize(), self._synchronized)

    async def _synchronize(self) -> None:
        asked = dict(self._found)
        if await self._sync.everything():
            # Those that the master has no more are nobody's.
            for topic, queues in asked.items():
                if self._found.get(topic) == queues:
                    del self._found[topic]
        else:
            self._discover()

    def _synchronized(self) -> None:
        self._syncing = False
        self._synced_at = self._clock.seconds()
        if self._wanted and self.watch.reachable:
            self._begin()

    def _run(self, work: Coroutine[Deferred[Any], Any, None], over: Callable[[], None]) -> None:
        def ended(result: Failure | None) -> None:
            if result is not None:
                log.failure("synchronizing with the master failed and will be tried again", result)
            over()

        Deferred.fromCoroutine(work).addBoth(ended)

    def _discover(self) -> None:
        if self._found and not self._stopped:
            self._topics.discover(self._found)

    def _gone(self) -> None:
        if not self._stopped:
            log.warn("the master {address} is away: consumers may read here", address=self.watch.address)
            self._discover()
            self._hurry(POLL_SECONDS)

    def _back(self) -> None:
        if not self._stopped:
            log.info("the master {address} is there", address=self.watch.address)
            self._hurry(None)
