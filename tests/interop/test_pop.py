"""POP consumption: the official Java client 5.4.0 as it is, and requests for which it has no method."""

import base64
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from rmq.wire.message import StoredMessage, decode_messages
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import FIRST, Driver, Outgoing, Received, wait_until
from tests.kit.frames import ask, create_topic
from tests.kit.messages import SYSTEM_PROPERTIES, by_number, make_messages
from tests.kit.server import CLUSTER_NAME, RunningServer, chosen_kind, maker

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]
StartDriver = Callable[[toolchains.Program], Driver]

POP, ACK, PEEK, CHANGE, NOTIFY, POLLING, BATCH_ACK = 200050, 200051, 200052, 200053, 200054, 200055, 200151
FOUND, NOTHING, NO_SUCH_MESSAGE = 0, 210, 208
HANDLED_BY_POP = frozenset({"POP_CK", "ORIGIN_GROUP", "REAL_TOPIC", "REAL_QID"})

# What the slowest of both servers needs: invisible time is over, its timer's second, two seconds of grace, a look; and
# what a loaded machine adds.
COMES_AGAIN_WITHIN = 20.0


@pytest.fixture
def java(shared_drivers: StartDriver) -> Driver:
    toolchains.require("java")
    return shared_drivers(toolchains.java_client("5.4.0"))


def set_mode(admin: MqAdmin, topic: str, group: str, mode: str, share: int = 0) -> None:
    admin.out("updateSubGroup", "-c", CLUSTER_NAME, "-g", group)
    admin.out("setConsumeMode", "-c", CLUSTER_NAME, "-t", topic, "-g", group, "-m", mode, "-q", str(share))


def pop_topic(server: RunningServer, admin: MqAdmin, topic: str, queues: int = 4, share: int = 0) -> str:
    """A topic whose group pops; the group."""
    create_topic(server.namesrv_addr, server.broker_addr, topic, queues)
    set_mode(admin, topic, f"G-{topic}", "POP", share)
    return f"G-{topic}"


def start(driver: Driver, name: str, topic: str, *, expression: str = "*", invisible: int = 60_000) -> None:
    driver.call(
        "pop", name=name, group=f"G-{topic}", topic=topic, expression=expression, invisible=invisible, **{"from": FIRST}
    )


def assert_pop_is(message: Received, outgoing: Outgoing, topic: str, times: int = 0) -> None:
    """Body, tags, keys and properties to the byte, and how often it came before."""
    ignored = SYSTEM_PROPERTIES | HANDLED_BY_POP
    own = {name: value for name, value in message.properties.items() if name not in ignored}
    got = (message.topic, message.body, message.tags, message.keys, own, message.reconsume_times)
    assert got == (topic, outgoing.body, outgoing.tags, outgoing.keys, outgoing.properties, times)


def assert_each_once(received: list[Received], outgoing: list[Outgoing], topic: str) -> None:
    found = by_number(received)
    assert sorted(found) == list(range(len(outgoing)))
    assert {number: len(each) for number, each in found.items() if len(each) != 1} == {}
    for number, (message,) in found.items():
        assert_pop_is(message, outgoing[number], topic)


# --- the Java client --------------------------------------------------------------------------------------------------


def test_pops_every_message_once(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    topic = "Pop-all"
    pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 2000)
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing[:1000])
    start(java, f"C-{topic}", topic)
    java.wait_received(f"C-{topic}", 1000)
    assert java.call("ask", name=f"C-{topic}", what="popQueues") == [["broker-a", -1]]
    assert java.call("ask", name=f"C-{topic}", what="queues") == []
    java.send(f"P-{topic}", topic, outgoing[1000:])
    received = java.wait_received(f"C-{topic}", 2000)
    assert_each_once(received, outgoing, topic)
    assert {m.queue_id for m in received} == set(range(4))
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_a_waiting_pop_is_woken_at_once(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    topic = "Pop-woken"
    pop_topic(server, admin, topic)
    java.call("producer", name=f"P-{topic}", group="PG")
    outgoing = make_messages(topic, 20)
    java.send(f"P-{topic}", topic, outgoing[:1])
    start(java, f"C-{topic}", topic)
    java.wait_received(f"C-{topic}", 1)
    # Less than a pop waits where nobody wakes it.
    for number in range(1, 20):
        java.send(f"P-{topic}", topic, outgoing[number : number + 1])
        java.wait_received(f"C-{topic}", number + 1, timeout=12)
    received = java.received(f"C-{topic}")
    assert_each_once(received, outgoing, topic)
    assert max(m.at - m.store_timestamp for m in received[1:]) < 10_000
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_tags(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    topic = "Pop-tags"
    pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 300)
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing)
    start(java, f"C-{topic}", topic, expression="TagA || TagC")
    java.wait_received(f"C-{topic}", 200)
    java.send(f"P-{topic}", topic, make_messages(f"{topic}-again", 30))
    received = java.wait_received(f"C-{topic}", 220)
    assert Counter(m.tags for m in received) == {"TagA": 110, "TagC": 110}
    assert len({m.keys for m in received}) == 220
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_what_is_not_acknowledged_comes_again(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    """A listener that takes longer than the invisible time does not acknowledge; the others do."""
    topic = "Pop-stalled"
    pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 12)
    outgoing[3].properties["stall"] = outgoing[8].properties["stall"] = "7000"
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing)
    start(java, f"C-{topic}", topic, invisible=6000)
    java.wait_received(f"C-{topic}", 12)
    found = by_number(java.wait_received(f"C-{topic}", 14, timeout=6 + COMES_AGAIN_WITHIN))
    assert {number: len(each) for number, each in found.items() if len(each) > 1} == {3: 2, 8: 2}
    for number, each in found.items():
        assert_pop_is(each[0], outgoing[number], topic)
    for number in (3, 8):
        first, second = found[number]
        assert_pop_is(second, outgoing[number], topic, 1)
        assert 5900 <= second.at - first.at <= 6000 + COMES_AGAIN_WITHIN * 1000
        assert second.properties["1ST_POP_TIME"] == first.properties["1ST_POP_TIME"]
        assert second.properties["ORIGIN_GROUP"] == f"G-{topic}"
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_consume_later(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    """A message that fails is hidden ten seconds longer, then comes again."""
    topic = "Pop-later"
    pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 6)
    outgoing[2].properties["fail"] = "1"
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing)
    start(java, f"C-{topic}", topic)
    java.wait_received(f"C-{topic}", 6)
    found = by_number(java.wait_received(f"C-{topic}", 7, timeout=10 + COMES_AGAIN_WITHIN))
    assert {number: len(each) for number, each in found.items()} == {n: 2 if n == 2 else 1 for n in range(6)}
    first, second = found[2]
    assert_pop_is(second, outgoing[2], topic, 1)
    assert 9900 <= second.at - first.at <= 10_000 + COMES_AGAIN_WITHIN * 1000
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_several_consumers_share_all_queues(
    java: Driver, start_driver: StartDriver, server: RunningServer, admin: MqAdmin
) -> None:
    """More consumers than queues, in two processes: everybody pops from the same queue, each message goes to one."""
    topic = "Pop-shared"
    pop_topic(server, admin, topic, queues=1)
    other = start_driver(toolchains.java_client("5.4.0"))
    names = [f"C{number}-{topic}" for number in range(3)]
    for driver, name in zip((java, java, other), names, strict=True):
        start(driver, name, topic)
        wait_until(
            lambda driver=driver, name=name: driver.call("ask", name=name, what="popQueues") != [],
            timeout=60,
            what=lambda name=name: f"{name} pops nothing",
        )
    outgoing = make_messages(topic, 900)
    for message in outgoing:
        # So that none of them could have all.
        message.properties["stall"] = "30"
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing, threads=2)

    def everything() -> list[Received]:
        return [m for driver, name in zip((java, java, other), names, strict=True) for m in driver.received(name)]

    wait_until(lambda: len(everything()) >= 900, timeout=60, what=lambda: f"{len(everything())} of 900 arrived")
    assert_each_once(everything(), outgoing, topic)
    assert len({m.client for m in everything()}) == 3
    for name in names[:2]:
        java.retire(name)
    java.retire(f"P-{topic}")


def test_a_killed_consumers_messages_go_to_another(
    java: Driver, start_driver: StartDriver, server: RunningServer, admin: MqAdmin
) -> None:
    topic = "Pop-killed"
    pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 8)
    for message in outgoing:
        message.properties["stall"] = "60000"
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing)
    victim = start_driver(toolchains.java_client("5.4.0"))
    start(victim, "victim", topic, invisible=6000)
    victim.wait_received("victim", 8)
    victim.kill()
    start(java, f"C-{topic}", topic)
    found = by_number(java.wait_received(f"C-{topic}", 8))
    assert sorted(found) == list(range(8))
    for number, (message,) in found.items():
        assert_pop_is(message, outgoing[number], topic, 1)
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


@pytest.mark.long
def test_a_group_changes_between_pull_and_pop(java: Driver, server: RunningServer, admin: MqAdmin) -> None:
    """Neither way loses or repeats what the other has consumed."""
    topic = "Pop-switch"
    group = pop_topic(server, admin, topic)
    outgoing = make_messages(topic, 400)
    java.call("producer", name=f"P-{topic}", group="PG")
    name = f"C-{topic}"
    start(java, name, topic)
    for number, mode in enumerate(("POP", "PULL", "POP", "PULL")):
        table, other = ("popQueues", "queues") if mode == "POP" else ("queues", "popQueues")
        set_mode(admin, topic, group, mode)

        def switched(table: str = table, other: str = other) -> bool:
            java.call("ask", name=name, what="rebalance")
            held = len(java.call("ask", name=name, what=table)), len(java.call("ask", name=name, what=other))
            return held == (1 if table == "popQueues" else 4, 0)

        wait_until(switched, timeout=60, what=lambda mode=mode: f"the group does not {mode}")
        java.send(f"P-{topic}", topic, outgoing[number * 100 : number * 100 + 100])
        java.wait_received(name, number * 100 + 100)
        # Acknowledgements are on their way, and pulled offsets are committed every five seconds.
        time.sleep(6)
    assert_each_once(java.received(name), outgoing, topic)
    java.retire(name)
    java.retire(f"P-{topic}")


def test_queues_shared_with_the_next_client(
    java: Driver, start_driver: StartDriver, server: RunningServer, admin: MqAdmin
) -> None:
    """popShareQueueNum 1 with four clients: each has its own two queues and those of the next."""
    topic = "Pop-neighbours"
    pop_topic(server, admin, topic, queues=8, share=1)
    names = [f"C{number}-{topic}" for number in range(4)]
    for name in names:
        start(java, name, topic)

    def held() -> list[list[int]]:
        for name in names:
            java.call("ask", name=name, what="rebalance")
        return sorted(sorted(queue for _, queue in java.call("ask", name=name, what="popQueues")) for name in names)

    expected = [[0, 1, 2, 3], [0, 1, 6, 7], [2, 3, 4, 5], [4, 5, 6, 7]]
    wait_until(lambda: held() == expected, timeout=60, what=lambda: f"queues held: {held()}")
    outgoing = make_messages(topic, 400)
    java.call("producer", name=f"P-{topic}", group="PG")
    java.send(f"P-{topic}", topic, outgoing)

    def everything() -> list[Received]:
        return [message for name in names for message in java.received(name)]

    wait_until(lambda: len(everything()) >= 400, timeout=60, what=lambda: f"{len(everything())} of 400 arrived")
    assert_each_once(everything(), outgoing, topic)
    for name in names:
        java.retire(name)
    java.retire(f"P-{topic}")


# --- requests, one by one ---------------------------------------------------------------------------------------------


@dataclass
class Answer:
    code: int
    remark: str | None
    fields: dict[str, str]
    messages: list[StoredMessage]

    def offsets(self) -> list[tuple[int, int]]:
        return [(m.queue_id, m.queue_offset) for m in self.messages]


@dataclass
class Popper:
    """A group that pops one topic by requests."""

    server: RunningServer
    topic: str
    group: str = field(default="")

    def request(self, code: int, body: bytes = b"", *, timeout: float = 30.0, **fields: Any) -> Answer:
        named = {"topic": self.topic, "consumerGroup": self.group, **fields}
        texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in named.items()}
        header, payload = ask(self.server.broker_addr, code, texts, body, timeout=timeout)
        return Answer(header["code"], header.get("remark"), header.get("extFields", {}), list(decode_messages(payload)))

    def pop(self, count: int = 32, *, queue: int = -1, invisible: int = 60_000, poll: int = 0, **fields: Any) -> Answer:
        born = int(time.time() * 1000)
        return self.request(
            POP, timeout=30 + poll / 1000,
            **{"queueId": queue, "maxMsgNums": count, "invisibleTime": invisible, "pollTime": poll, "bornTime": born,
               "initMode": 0, "expType": "TAG", "exp": "*", "order": False, **fields},
        )  # fmt: skip

    def pop_until(self, enough: Callable[[list[StoredMessage]], bool], **fields: Any) -> list[Answer]:
        """Pops until there is enough; the answers that brought something."""
        answers: list[Answer] = []

        def came() -> list[StoredMessage]:
            return [message for answer in answers for message in answer.messages]

        def done() -> bool:
            answers.append(self.pop(**fields))
            return enough(came())

        wait_until(done, timeout=20 + COMES_AGAIN_WITHIN, what=lambda: f"only {[m.body[:40] for m in came()]} came")
        return [answer for answer in answers if answer.messages]

    def pop_until_time(self, end: float, count: int, **fields: Any) -> list[StoredMessage]:
        """Pops until so many came, or until that time."""
        came: list[StoredMessage] = []
        while time.monotonic() < end and len(came) < count:
            came += self.pop(**fields).messages
        return came

    def handle(self, answer: Answer, message: StoredMessage) -> str:
        """The handle that a client makes of the reply, unless the message brings one."""
        brought = message.properties.get("POP_CK")
        if brought is not None:
            return brought
        entries = [entry.split(" ") for entry in answer.fields["startOffsetInfo"].split(";")]
        (start,) = [start for kind, queue, start in entries if (kind, int(queue)) == ("0", message.queue_id)]
        return (
            f"{start} {answer.fields['popTime']} {answer.fields['invisibleTime']} {answer.fields['reviveQid']} 0 "
            f"broker-a {message.queue_id} {message.queue_offset}"
        )

    def ack(self, answer: Answer, message: StoredMessage, **fields: Any) -> Answer:
        handle = self.handle(answer, message)
        topic = self.topic if handle.split(" ")[4] == "0" else f"%RETRY%{self.group}_{self.topic}"
        return self.request(
            ACK, **{"topic": topic, "queueId": message.queue_id, "extraInfo": handle, "offset": message.queue_offset,
                    **fields},
        )  # fmt: skip

    def change(self, answer: Answer, message: StoredMessage, invisible: int) -> Answer:
        handle = self.handle(answer, message)
        return self.request(
            CHANGE, queueId=message.queue_id, extraInfo=handle, offset=message.queue_offset, invisibleTime=invisible
        )


@pytest.fixture
def popper(request: pytest.FixtureRequest, java: Driver, server: RunningServer, admin: MqAdmin) -> Iterator[Popper]:
    """A topic of two queues with twenty messages, ten in each."""
    topic = "Pop-" + request.node.name.removeprefix("test_").replace("_", "-")[:40]
    create_topic(server.namesrv_addr, server.broker_addr, topic, 2)
    admin.out("updateSubGroup", "-c", CLUSTER_NAME, "-g", f"G-{topic}")
    java.call("producer", name=f"P-{topic}", group="PG")
    for queue in range(2):
        java.send(f"P-{topic}", topic, make_messages(topic, 10), threads=1, queue=queue)
    yield Popper(server, topic, f"G-{topic}")
    java.retire(f"P-{topic}")


def test_reply_of_a_pop(popper: Popper) -> None:
    before = int(time.time() * 1000)
    answer = popper.pop(6, queue=1, invisible=30_000)
    assert (answer.code, answer.remark) == (FOUND, "FOUND")
    assert answer.offsets() == [(1, offset) for offset in range(6)]
    fields = dict(answer.fields)
    assert before <= int(fields.pop("popTime")) <= int(time.time() * 1000)
    assert 0 <= int(fields.pop("reviveQid")) < 8
    assert fields == {
        "invisibleTime": "30000", "restNum": "4", "startOffsetInfo": "0 1 0", "msgOffsetInfo": "0 1 0,1,2,3,4,5",
    }  # fmt: skip
    answer = popper.pop(32)
    assert sorted(answer.offsets()) == [(0, o) for o in range(10)] + [(1, o) for o in range(6, 10)]
    assert sorted(answer.fields["startOffsetInfo"].split(";")) == ["0 0 0", "0 1 6"]
    assert sorted(answer.fields["msgOffsetInfo"].split(";")) == ["0 0 0,1,2,3,4,5,6,7,8,9", "0 1 6,7,8,9"]
    assert answer.fields["restNum"] == "0"
    answer = popper.pop(32)
    assert (answer.code, answer.remark, answer.messages) == (NOTHING, "NO_MESSAGE_IN_QUEUE", [])


def test_a_new_group_at_the_end(popper: Popper) -> None:
    """All of a queue that begins at 0 and is in memory."""
    popper.group = "G-at-the-end"
    assert len(popper.pop(32, initMode=1).messages) == 20


def test_order_of_refusals(popper: Popper) -> None:
    assert popper.pop(33).code == 29
    assert popper.pop(topic="No-such-topic").code == 17
    assert popper.pop(queue=2).code == 29
    assert popper.pop(exp="||").code == 23
    first = popper.pop(1, queue=0)
    message = first.messages[0]
    assert popper.ack(first, message, queueId=2).code == 13
    assert popper.ack(first, message, offset=11).code == NO_SUCH_MESSAGE
    assert popper.ack(first, message, topic="No-such-topic").code == 17
    assert popper.request(BATCH_ACK, b"").code == NO_SUCH_MESSAGE


def test_acknowledged_messages_do_not_come_again(popper: Popper) -> None:
    """One is acknowledged alone, some together, the rest not at all; the offset passes all of them."""
    answer = popper.pop(10, queue=0, invisible=5000)
    assert popper.ack(answer, answer.messages[0]).code == 0
    bits = base64.b64encode((1 << 1 | 1 << 3 | 1 << 9).to_bytes(2, "little")).decode()
    batch = {
        "c": popper.group, "t": popper.topic, "r": "0", "so": 0, "q": 0, "rq": int(answer.fields["reviveQid"]),
        "pt": int(answer.fields["popTime"]), "it": 5000, "b": bits,
    }  # fmt: skip
    assert popper.request(BATCH_ACK, orjson.dumps({"brokerName": "broker-a", "acks": [batch]})).code == 0
    again = popper.pop_until(lambda came: len(came) >= 6, queue=0, poll=1000)
    came = [message for each in again for message in each.messages]
    bodies = {m.body for m in answer.messages}
    left = [answer.messages[n] for n in (2, 4, 5, 6, 7, 8)]
    assert sorted(m.body for m in came) == sorted(m.body for m in left)
    assert {m.topic for m in came} == {popper.topic}
    assert {m.reconsume_times for m in came} == {1}
    assert len(bodies) == 10
    for each in again:
        for message in each.messages:
            kind = popper.handle(each, message).split(" ")[4]
            assert kind == "1"
            assert popper.ack(each, message).code == 0
    time.sleep(1)
    assert popper.pop(32, queue=0).code == NOTHING


def test_sql_expressions(popper: Popper) -> None:
    """Properties decide."""
    answer = popper.pop(queue=0, expType="SQL92", exp="number BETWEEN 3 AND 5 AND city IS NOT NULL")
    assert (answer.code, answer.offsets()) == (FOUND, [(0, 3), (0, 4), (0, 5)])
    assert answer.fields["msgOffsetInfo"] == "0 0 3,4,5"
    assert popper.pop(queue=1, expType="SQL92", exp="number >").code == 23


def test_longer_invisible_time(popper: Popper) -> None:
    """One message is hidden much longer than the others, one shorter."""
    answer = popper.pop(3, queue=0, invisible=60_000)
    started = int(time.time() * 1000)
    changed = popper.change(answer, answer.messages[1], 3000)
    assert changed.code == 0
    assert int(changed.fields["invisibleTime"]) == 3000
    assert changed.fields["reviveQid"] == answer.fields["reviveQid"]
    assert started <= int(changed.fields["popTime"]) <= time.time() * 1000
    answers = popper.pop_until(lambda came: any(m.reconsume_times for m in came), queue=1, poll=1000)
    (again,) = [m for each in answers for m in each.messages if m.reconsume_times]
    assert again.body == answer.messages[1].body
    assert 3000 <= time.time() * 1000 - started <= 3000 + COMES_AGAIN_WITHIN * 1000


def test_peek_notification_and_polling_info(popper: Popper, java: Driver) -> None:
    peeked = popper.request(PEEK, queueId=0, maxMsgNums=4)
    assert (peeked.code, peeked.offsets(), peeked.fields["restNum"]) == (0, [(0, o) for o in range(4)], "10")
    told = popper.request(NOTIFY, queueId=-1, pollTime=5000, bornTime=int(time.time() * 1000), order=False)
    assert (told.code, told.fields["hasMsg"]) == (0, "true")
    popper.pop(32)
    started = time.monotonic()
    told = popper.request(NOTIFY, queueId=-1, pollTime=1500, bornTime=int(time.time() * 1000), order=False)
    assert (told.code, told.fields["hasMsg"]) == (0, "false")
    assert time.monotonic() - started > 1.2
    assert popper.request(POLLING, queueId=-1).fields["pollingNum"] == "0"


def test_ordered_pops(popper: Popper) -> None:
    """A queue gives nothing while a message of it is with a consumer, unless the same attempt asks again."""
    first = popper.pop(3, queue=0, order=True, attemptId="one", invisible=4000)
    assert first.offsets() == [(0, 0), (0, 1), (0, 2)]
    assert (first.fields["reviveQid"], first.fields["orderCountInfo"]) == ("999", "0 0 0")
    assert popper.pop(3, queue=0, order=True, attemptId="two").code == NOTHING
    again = popper.pop(3, queue=0, order=True, attemptId="one", invisible=4000)
    assert again.offsets() == first.offsets()
    for message in again.messages[:2]:
        assert popper.ack(again, message).code == 0
    assert popper.pop(3, queue=0, order=True, attemptId="three").code == NOTHING
    (later,) = popper.pop_until(bool, count=3, queue=0, order=True, attemptId="four", poll=2000)
    assert later.offsets() == [(0, 2), (0, 3), (0, 4)]
    assert sorted(later.fields["orderCountInfo"].split(";")) == ["0 0 0", "0 qo0%2 1"]
    for message in later.messages:
        assert popper.ack(later, message).code == 0
    assert popper.pop(1, queue=0, order=True, attemptId="five").offsets() == [(0, 5)]


# --- restarts ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("way", ["stop", "kill"])
@pytest.mark.parametrize("merging", ["false", "true"])
def test_restart(way: str, merging: str, tmp_path: Path) -> None:
    """Nothing is lost: what was popped and not acknowledged comes again after a restart, the rest of the queue too."""
    toolchains.require("java")
    server = maker(chosen_kind())(tmp_path, extra={"enablePopBufferMerge": merging})
    driver = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, tmp_path / "client")
    try:
        create_topic(server.namesrv_addr, server.broker_addr, "T", 1)
        driver.call("producer", name="P", group="PG")
        outgoing = make_messages("restart", 20)
        driver.send("P", "T", outgoing, threads=1)
        popper = Popper(server, "T", "G")
        answer = popper.pop(10, invisible=8000)
        assert len(answer.messages) == 10
        for message in answer.messages[:5]:
            assert popper.ack(answer, message).code == 0
        # Offsets and acknowledgements that are in memory only may be lost in a kill.
        time.sleep(7 if way == "kill" else 0.5)
        getattr(server, way)()
        server.restart()
        came: Counter[bytes] = Counter()
        deadline = time.monotonic() + 45
        wanted = {m.body for m in outgoing[5:]}
        while time.monotonic() < deadline and not wanted <= came.keys():
            each = popper.pop(poll=1000)
            came.update(m.body for m in each.messages)
            for message in each.messages:
                popper.ack(each, message)
        assert wanted <= came.keys()
        if way == "stop":
            assert came == Counter(wanted)
    finally:
        driver.kill()
        server.kill()


# --- a store that changes hands ---------------------------------------------------------------------------------------

HANDOVERS = [("rmq", "apache"), ("apache", "rmq")] if chosen_kind() == "rmq" else [("apache", "apache")]


@pytest.mark.long
@pytest.mark.parametrize(("first", "second"), HANDOVERS)
def test_pops_in_flight_are_handed_over(first: str, second: str, tmp_path: Path) -> None:
    """The other broker knows what was acknowledged, brings the rest again in its time, and goes on in the queues.

    Modes of groups and ordered pops change hands too.
    """
    toolchains.require("java")
    store = tmp_path / "store"
    homes = [tmp_path / "first", tmp_path / "second"]
    for home in homes:
        home.mkdir()
    server = maker(first)(homes[0], store_dir=store)
    driver = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, homes[0] / "client")
    admin = MqAdmin(server.namesrv_addr, homes[0])
    try:
        for topic in ("T", "Ordered"):
            create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
        set_mode(admin, "T", "G-T", "POP")
        driver.call("producer", name="P", group="PG")
        outgoing = make_messages("handed", 20)
        for topic in ("T", "Ordered"):
            driver.send("P", topic, outgoing, threads=1)
        popper, ordered = Popper(server, "T", "G-T"), Popper(server, "Ordered", "G-O")
        answer = popper.pop(10, invisible=40_000)
        for message in answer.messages[:6]:
            assert popper.ack(answer, message).code == 0
        blocked = ordered.pop(4, order=True, queue=0, invisible=40_000)
        assert ordered.ack(blocked, blocked.messages[0]).code == 0
        popped = time.monotonic()
        # Ordered pops are on the disk after ten seconds.
        time.sleep(0 if first == "rmq" else 10)
        server.stop()
        server = maker(second)(homes[1], store_dir=store)
        popper, ordered = Popper(server, "T", "G-T"), Popper(server, "Ordered", "G-O")
        if time.monotonic() - popped < 35:
            assert ordered.pop(4, order=True, queue=0).code == NOTHING
        assert [m.body for m in popper.pop(32, invisible=120_000).messages] == [m.body for m in outgoing[10:]]
        came = popper.pop_until_time(popped + 40 + COMES_AGAIN_WITHIN + 10, 4, poll=1000, invisible=120_000)
        assert sorted(m.body for m in came) == sorted(m.body for m in outgoing[6:10])
        assert {m.reconsume_times for m in came} == {1}
        again = ordered.pop(4, order=True, queue=0)
        assert again.offsets() == [(0, 1), (0, 2), (0, 3), (0, 4)]
        assert sorted(again.fields["orderCountInfo"].split(";")) == ["0 0 0", "0 qo0%1 1", "0 qo0%2 1", "0 qo0%3 1"]
        beat = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, homes[1] / "client")
        try:
            start(beat, "C", "T")
            wait_until(
                lambda: beat.call("ask", name="C", what="popQueues") == [["broker-a", -1]],
                timeout=60,
                what=lambda: "the group does not pop",
            )
        finally:
            beat.kill()
    finally:
        admin.close()
        driver.kill()
        server.kill()
