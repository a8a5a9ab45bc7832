"""What brokers ask clients, over the real protocol in memory."""

from typing import Any

from rmq.client.consume import ConsumeContext
from rmq.client.inbound import ClientProcessor
from rmq.client.message import MessageExt
from rmq.client.push import PushConsumer
from rmq.remoting.calls import request_command
from rmq.remoting.dispatch import Dispatcher
from rmq.wire.bodies.offset import ConsumerStatus, MessageQueueOffset, ResetOffsetBody, ResetOffsetList
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumeResult, ConsumerRunningInfo
from rmq.wire.declare import decode_body, encode_body
from rmq.wire.requests.client import GetConsumerListByGroup, NotifyConsumerIdsChanged
from rmq.wire.requests.consumer import ConsumeMessageDirectly, GetConsumerRunningInfo
from rmq.wire.requests.reset import GetConsumerStatusFromClient, ResetConsumerClientOffset
from tests.kit.cluster import MemoryCluster
from tests.kit.peer import MemoryPeer


class Client:
    """A push consumer, and a broker's end of a connection to it."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        (self.queue,) = self.cluster.create("T", 1)
        self.cluster.store(self.queue, *"01234")
        self.got: list[str] = []
        self.consumer = PushConsumer(self.cluster.clock, "G", self.listener, instance=self.cluster.instance())
        self.consumer.subscribe("T")
        self.consumer.start()
        self.cluster.advance(0.5)
        self.broker = MemoryPeer(Dispatcher([ClientProcessor(self.consumer.instance)]), self.cluster.clock)

    def listener(self, messages: list[MessageExt], context: ConsumeContext) -> None:
        self.got += [message.body.decode() for message in messages]

    def tell(self, header: Any, body: bytes = b"") -> None:
        """A one-way request."""
        self.broker.send(request_command(header, body, oneway=True))
        assert self.broker.answers() == []
        self.cluster.advance(0.1)


def test_members_have_changed() -> None:
    client = Client()
    client.cluster.calls.clear()
    client.tell(NotifyConsumerIdsChanged("G"))
    assert len(client.cluster.asked(GetConsumerListByGroup)) == 2


def test_offsets_are_reset() -> None:
    """In Java's form of the body and in that for C++ clients."""
    client = Client()
    client.tell(ResetConsumerClientOffset("G", "T", 0), encode_body(ResetOffsetBody({client.queue: 3})))
    assert client.got == ["3", "4"]
    listed = ResetOffsetList([MessageQueueOffset("T", "broker-a", 0, 4)])
    client.tell(ResetConsumerClientOffset("G", "T", 0), encode_body(listed))
    assert client.got == ["3", "4", "4"]


def test_status() -> None:
    client = Client()
    client.cluster.store(client.queue, "5")
    client.cluster.advance(0.1)
    answer = client.broker.ask(GetConsumerStatusFromClient("T", "G"))
    assert decode_body(ConsumerStatus, answer.body) == ConsumerStatus({client.queue: 6})


def test_running_info() -> None:
    client = Client()
    answer = client.broker.ask(GetConsumerRunningInfo("G", client.consumer.instance.client_id, jstack_enable=True))
    info = decode_body(ConsumerRunningInfo, answer.body)
    assert set(info.mq_table) == set(client.consumer.assignment())
    assert "test_running_info" in str(info.jstack)
    assert decode_body(ConsumerRunningInfo, client.broker.ask(GetConsumerRunningInfo("G", "c")).body).jstack is None


def test_direct_consumption() -> None:
    client = Client()
    record = client.cluster.queues[client.queue].records[0]
    answer = client.broker.ask(ConsumeMessageDirectly("G", broker_name="broker-a"), record)
    assert decode_body(ConsumeMessageDirectlyResult, answer.body).consume_result is ConsumeResult.CR_SUCCESS
    assert client.got == ["0"]


def test_a_group_that_is_not_here() -> None:
    client = Client()
    for header in (
        GetConsumerRunningInfo("other", "c"),
        ConsumeMessageDirectly("other"),
        GetConsumerStatusFromClient("T", "other"),
    ):
        answer = client.broker.ask(header)
        assert (answer.code, answer.remark) == (1, "The Consumer Group <other> not exist in this consumer")


def test_bodies_that_cannot_be_read() -> None:
    client = Client()
    for body in (b"", b"{", b"[]", b'{"offsetTable":7}'):
        client.tell(ResetConsumerClientOffset("G", "T", 0), body)
        assert client.broker.ask(ResetConsumerClientOffset("G", "T", 0), body).code == 1
    assert client.broker.ask(ConsumeMessageDirectly("G"), b"no record").code == 1
