"""Transactions: half messages, local transactions, what brokers are told and what they ask."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import TransactionConfig
from rmq.client.errors import IllegalMessageError, NotRunningError
from rmq.client.inbound import ClientProcessor
from rmq.client.message import Message, MessageExt
from rmq.client.transaction import TransactionProducer, TransactionResult, TransactionState
from rmq.remoting.calls import request_command
from rmq.remoting.dispatch import Dispatcher
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.errors import NoPermissionError
from rmq.wire.message import parse_properties
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from rmq.wire.requests.transaction import CheckTransactionState, EndTransaction
from tests.kit.cluster import MemoryCluster
from tests.kit.peer import MemoryPeer

COMMIT, ROLLBACK, UNKNOWN = TransactionState.COMMIT, TransactionState.ROLLBACK, TransactionState.UNKNOWN


class Client:
    """A producer whose check answers what a test says."""

    def __init__(self, **config: Any) -> None:
        self.cluster = MemoryCluster()
        (self.queue,) = self.cluster.create("T", 1)
        self.checked: list[MessageExt] = []
        self.answer: Any = COMMIT
        self.producer = TransactionProducer(
            self.cluster.clock,
            "PG",
            self.check,
            instance=self.cluster.instance(),
            config=TransactionConfig(**config),
        )
        self.producer.start()
        self.broker = MemoryPeer(Dispatcher([ClientProcessor(self.producer.instance)]), self.cluster.clock)

    def check(self, message: MessageExt) -> Any:
        self.checked.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ask(self, group: str = "PG", body: bytes | None = None) -> None:
        """The broker's question about a half message."""
        self.cluster._append(self.queue, b"half", properties=f"PGROUP\x01{group}\x02UNIQ_KEY\x01U1\x02TAGS\x01A\x02")
        header = CheckTransactionState(70, 700, "T", "M1", "X1", "O1", "broker-a")
        stored = self.cluster.queues[self.queue].records[-1]
        self.broker.send(request_command(header, stored if body is None else body, oneway=True))
        assert self.broker.answers() == []
        self.cluster.advance(0.05)

    @property
    def ends(self) -> list[EndTransaction]:
        return self.cluster.asked(EndTransaction)


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


@pytest.mark.parametrize(
    ("returned", "state", "code"),
    [(COMMIT, COMMIT, 8), (ROLLBACK, ROLLBACK, 12), (UNKNOWN, UNKNOWN, 0), (None, UNKNOWN, 0)],
)
def test_half_message_local_transaction_and_end(returned: Any, state: TransactionState, code: int) -> None:
    client = Client()
    executed: list[tuple[Message, Any]] = []

    def execute(message: Message, arg: Any) -> Any:
        executed.append((message, arg))
        assert client.ends == []
        return returned

    message = Message("T", "x", tags="A", delay_level=3)
    result = outcome(client.producer.send_in_transaction(message, execute, 42))
    assert isinstance(result, TransactionResult)
    assert (result.state, executed) == (state, [(message, 42)])
    assert message.transaction_id == message.unique_id
    assert message.properties["__transactionId__"] == "transaction-0"
    (sent,) = client.cluster.asked(SendMessageV2)
    properties = parse_properties(sent.properties)
    assert (sent.sys_flag, properties["TRAN_MSG"], properties["PGROUP"]) == (4, "true", "PG")
    assert "DELAY" not in properties
    assert client.ends == [
        EndTransaction("PG", 0, 0, code, str(message.unique_id), "T", False, "transaction-0", "broker-a")
    ]
    assert client.cluster.calls[-1].timeout is None


def test_the_broker_knows_the_producer_before_it_gets_a_message() -> None:
    client = Client()
    for _ in range(2):
        outcome(client.producer.send_in_transaction(Message("T", "x"), lambda message, arg: COMMIT))
    kinds = [type(call.header) for call in client.cluster.calls]
    assert kinds.count(Heartbeat) == 1
    assert kinds.index(Heartbeat) < kinds.index(SendMessageV2)


def test_a_local_transaction_that_fails_or_waits() -> None:
    client = Client()

    def fails(message: Message, arg: Any) -> None:
        raise ValueError("no")

    assert outcome(client.producer.send_in_transaction(Message("T", "x"), fails)).state is UNKNOWN
    waiting: Deferred[TransactionState] = Deferred()
    sending = client.producer.send_in_transaction(Message("T", "x"), lambda message, arg: waiting)
    assert not sending.called
    waiting.callback(ROLLBACK)
    assert outcome(sending).state is ROLLBACK
    assert [end.commit_or_rollback for end in client.ends] == [0, 12]


def test_a_half_message_that_is_stored_less_safely_is_rolled_back() -> None:
    client = Client()
    answer = Command(int(ResponseCode.FLUSH_DISK_TIMEOUT), encode_header(SendMessageReply("0" * 32, 0, 5)))
    client.cluster._SendMessageV2 = lambda call, body: answer  # type: ignore[method-assign]
    result = outcome(client.producer.send_in_transaction(Message("T", "x"), lambda message, arg: 1 / 0))
    assert (result.state, client.ends[0].commit_or_rollback) == (ROLLBACK, 12)


def test_a_half_message_that_is_refused() -> None:
    client = Client(retry_times=0)
    client.cluster.failures[SendMessageV2] = NoPermissionError("transactions are not allowed")
    executed: list[Message] = []
    sending = client.producer.send_in_transaction(Message("T", "x"), lambda message, arg: executed.append(message))
    error = outcome(sending)
    assert "transactions are not allowed" in str(error)
    assert executed == client.ends == []


def test_an_end_that_cannot_be_told_is_no_failure() -> None:
    client = Client()

    def execute(message: Message, arg: Any) -> TransactionState:
        client.cluster.down.add("10.0.0.1:10911")
        return COMMIT

    assert outcome(client.producer.send_in_transaction(Message("T", "x"), execute)).state is COMMIT


def test_timed_messages_are_refused() -> None:
    client = Client()
    for delays in ({"delay_seconds": 1}, {"delay_seconds": 1.5}, {"deliver_at": 5}):
        error = outcome(
            client.producer.send_in_transaction(Message("T", "x", **delays), lambda message, arg: COMMIT)  # type: ignore
        )
        assert isinstance(error, IllegalMessageError)
    assert client.cluster.asked(SendMessageV2) == []


# --- questions of brokers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"), [(COMMIT, 8), (ROLLBACK, 12), (UNKNOWN, 0), (None, 0), (ValueError("no idea"), 0)]
)
def test_check(answer: Any, code: int) -> None:
    client = Client()
    client.answer = answer
    client.ask()
    (message,) = client.checked
    assert (message.topic, message.body, message.tags, message.transaction_id) == ("T", b"half", "A", "U1")
    assert client.ends == [EndTransaction("PG", 70, 700, code, "U1", "T", True, "X1", "broker-a")]
    # The broker that asked is told, by the address of its connection.
    assert client.cluster.calls[-1].address == "10.0.0.1:40000"


def test_checks_at_once_are_bounded_and_too_many_are_dropped() -> None:
    client = Client(check_concurrency=1, check_request_hold_max=2)
    client.answer = Deferred()
    for _ in range(6):
        client.ask()
    assert len(client.checked) == 1
    client.answer.callback(COMMIT)
    client.cluster.advance(0.5)
    assert len(client.checked) == len(client.ends) == 3


def test_questions_that_nobody_can_answer() -> None:
    client = Client()
    client.ask(group="other")
    client.ask(body=b"no message")
    outcome(client.producer.shutdown())
    client.ask()
    assert client.checked == client.ends == []
    assert isinstance(
        outcome(client.producer.send_in_transaction(Message("T", "x"), lambda message, arg: COMMIT)), NotRunningError
    )


def test_shutting_down_waits_for_checks() -> None:
    client = Client()
    client.answer = Deferred()
    client.ask()
    stopping = client.producer.shutdown()
    assert not stopping.called
    client.answer.callback(COMMIT)
    assert stopping.called
    assert len(client.ends) == 1
