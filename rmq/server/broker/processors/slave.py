"""How a slave differs from a master in what it answers: it takes nothing, and hands out with care.

**Refusals.** `SlaveRefusals` stands in the place of the processors that store something; so those need not know roles.
Codes and remarks are those of Apache's slaves, with one exception: they do hand out messages to pops, whose check
points and acknowledgements then get lost. Clients pop from masters only, so nobody misses it.

**Reads.** `SlaveReads` is asked by `PullProcessor`. A slave's end is not the queue's end: the master may have more, or
less after an accident. So a slave corrects no offsets, which would skip or repeat messages, unless offsetCheckInSlave
says so. A client at an offset that the slave does not have is sent to the master, which knows:

| pull | master there | master away |
|---|---|---|
| finds messages | SUCCESS, next one from the group's brokerId (0) | SUCCESS, next one from here |
| is at the end | waits as on a master | waits as on a master |
| is anywhere else outside | PULL_RETRY_IMMEDIATELY, from the group's brokerId | waits, for the master at last |

The last cell is where Apache's slaves answer PULL_RETRY_IMMEDIATELY too, to a client that then asks again without a
pause. When the master is back, all who wait are answered at once (`PullHold.release_all`) and go to it.

Source: SendMessageProcessor.rejectRequest, EndTransactionProcessor, RecallMessageProcessor, PullMessageProcessor,
DefaultPullMessageResultHandler, DefaultMessageStore.nextOffsetCorrection.
"""

from __future__ import annotations

from typing import Final, NoReturn, Protocol

from rmq.remoting.dispatch import Call, Reply, handles, handles_raw
from rmq.remoting.protocol import Connection
from rmq.server.store.api import GetResult, GetStatus
from rmq.settings.model import BrokerSettings
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.errors import NoPermissionError, RemotingError, SystemBusyError
from rmq.wire.requests.message import ResumeCheckHalfMessage
from rmq.wire.requests.pop import (
    AckMessage,
    BatchAckMessage,
    ChangeInvisibleTime,
    Notification,
    PeekMessage,
    PollingInfo,
    PopMessage,
)
from rmq.wire.requests.retry import ConsumerSendMsgBack
from rmq.wire.requests.send import RecallMessage, SendBatchMessage, SendMessage, SendMessageV2
from rmq.wire.requests.transaction import EndTransaction

REJECTED: Final = "[REJECTREQUEST]system busy, start flow control for a while"
"""What Apache's brokers say when a processor takes no requests at all (NettyRemotingAbstract)."""

_IN_QUEUE: Final = frozenset({GetStatus.FOUND, GetStatus.NO_MATCHED_MESSAGE, GetStatus.MESSAGE_WAS_REMOVING})


class SlaveRefusals:
    """Handles, on a slave, what only a master does.

    Args:
        settings: whether recalls are allowed at all.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._broker = settings.broker

    @handles_raw(SendMessage, SendMessageV2, SendBatchMessage, ConsumerSendMsgBack)
    def send(self, connection: Connection, command: Command) -> NoReturn:
        """A producer goes on with another broker."""
        raise SystemBusyError(REJECTED)

    @handles_raw(
        PopMessage, PeekMessage, Notification, PollingInfo, AckMessage, BatchAckMessage, ChangeInvisibleTime
    )
    def pop(self, connection: Connection, command: Command) -> NoReturn:
        """Check points are stored, and acknowledged, where messages are."""
        raise SystemBusyError("messages are not popped from a slave")

    @handles(EndTransaction)
    def end_transaction(self, header: EndTransaction, call: Call) -> Reply:
        """The master will ask for the outcome."""
        return Reply(code=ResponseCode.SLAVE_NOT_AVAILABLE)

    @handles(ResumeCheckHalfMessage)
    def resume(self, header: ResumeCheckHalfMessage, call: Call) -> NoReturn:
        """Half messages are stored on the master."""
        raise RemotingError("Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.")

    @handles(RecallMessage)
    def recall(self, header: RecallMessage, call: Call) -> Reply:
        """What recalls a message is a message too."""
        if not self._broker.recall_message_enable:
            raise NoPermissionError("recall failed, operation is forbidden")
        return Reply(
            code=ResponseCode.SLAVE_NOT_AVAILABLE,
            remark="recall failed, broker service not available",
            ext={"MSG_REGION": self._broker.region_id},
        )


class MasterPresence(Protocol):
    """Tells whether the master is there."""

    @property
    def away(self) -> bool:
        """Whether the master cannot be reached, or no name server knows one."""
        ...


class SlaveReads:
    """What a slave makes of pulls.

    Args:
        settings: whether slaves are read at all, and whether this one corrects offsets.
        watch: whether the master is there.
    """

    def __init__(self, settings: BrokerSettings, watch: MasterPresence) -> None:
        self._broker = settings.broker
        self._store = settings.store
        self._watch = watch

    def check(self) -> None:
        """Refuses pulls unless slaves are read.

        Raises:
            SystemBusyError: they are not.
        """
        if not self._broker.slave_read_enable:
            raise SystemBusyError(REJECTED)

    def answered(self, code: int, result: GetResult, offset: int) -> tuple[int, GetResult]:
        """What a master's answer to a pull from `offset` is here."""
        if result.status in _IN_QUEUE or self._store.offset_check_in_slave:
            return code, result
        if code == ResponseCode.PULL_OFFSET_MOVED:
            code = int(ResponseCode.PULL_NOT_FOUND if self._watch.away else ResponseCode.PULL_RETRY_IMMEDIATELY)
        return code, result._replace(next_begin_offset=offset)

    @property
    def stay(self) -> int | None:
        """The broker id to pull from next while there is no other: this one's; None while the master is there."""
        return self._broker.broker_id if self._watch.away else None
