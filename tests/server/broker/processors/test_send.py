"""Sending: what is stored, what is answered, and the order in which things are refused, with either header encoding."""

import base64
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.bodies.topic import TopicConfig, TopicFilterType
from rmq.wire.codes import SERIALIZE_BINARY, SERIALIZE_JSON
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.message import BatchMessage, encode_batch, parse_properties
from rmq.wire.requests.send import SendBatchMessage, SendMessage
from rmq.wire.sysflag import BORN_HOST_V6, MULTI_TAGS
from tests.kit.broker import EPOCH, HOST, Bench, ask_untold, messages, pull_header, send_header, text_of
from tests.kit.peer import MemoryPeer

STAMPS = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true", "CLUSTER": "DefaultCluster"}
UNIQUE = "7F00000100012A9F00000000000000AB"


@pytest.fixture(params=[SERIALIZE_JSON, SERIALIZE_BINARY], ids=["JSON", "binary"], autouse=True)
def encoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """All peers of a test write their headers this way."""
    serialize_type: int = request.param
    send = MemoryPeer.send

    def encoded(peer: MemoryPeer, *commands: Command) -> None:
        for command in commands:
            command.serialize_type = serialize_type
        send(peer, *commands)

    monkeypatch.setattr(MemoryPeer, "send", encoded)
    return serialize_type


def stored(bench: Bench, topic: str = "T", queue_id: int = 0) -> list[Any]:
    return messages(bench.peer().ask(pull_header(topic, queue_id=queue_id)))


def test_a_message_is_stored_as_it_came_plus_the_stamps(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    text = text_of(TAGS="a", KEYS="k1 k2", UNIQ_KEY=UNIQUE, city="Zürich")
    answer = peer.ask(send_header("T", 2, properties=text, reconsume_times=3), b"body")
    assert answer.ext == {
        "msgId": HOST.hex().upper() + "0" * 16, "queueId": "2", "queueOffset": "0", "transactionId": UNIQUE,
        "MSG_REGION": "DefaultRegion", "TRACE_ON": "true",
    }  # fmt: skip
    assert (answer.code, answer.remark, answer.body) == (0, None, b"")
    (message,) = stored(bench, "T", 2)
    assert message.properties == {"TAGS": "a", "KEYS": "k1 k2", "UNIQ_KEY": UNIQUE, "city": "Zürich", **STAMPS}
    assert (message.body, message.flag, message.sys_flag, message.reconsume_times) == (b"body", 7, 0, 3)
    assert (message.born_timestamp, message.store_timestamp) == (1_600_000_000_000, EPOCH * 1000)
    assert (message.born_host, message.store_host) == (b"\x0a\x00\x00\x01\x00\x00\x9c\x40", HOST)
    assert message.body_is_sound
    assert (bench.stats.put_total, bench.stats.put_bytes) == (1, message.total_size)


def test_the_old_form_is_the_same(bench: Bench) -> None:
    bench.topic("T")
    header = SendMessage("PG", "T", "TBW102", 4, 1, 0, 5, 6, properties=text_of(TAGS="a"))
    answer = bench.peer().ask(header, b"old")
    assert (answer.code, answer.ext["queueId"]) == (0, "1")
    (message,) = stored(bench, "T", 1)
    assert (message.body, message.born_timestamp, message.flag, message.properties["TAGS"]) == (b"old", 5, 6, "a")


def test_a_unique_id_is_made_where_the_client_gives_none(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    ids = [peer.ask(send_header("T"), b"x").ext["transactionId"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert [message.unique_id for message in stored(bench)] == ids


def test_properties_without_a_last_separator_do_not_run_into_the_stamps(bench: Bench) -> None:
    bench.topic("T")
    bench.peer().ask(send_header("T", properties=f"TAGS\x01a\x02UNIQ_KEY\x01{UNIQUE}"), b"x")
    (message,) = stored(bench)
    assert message.properties == {"TAGS": "a", "UNIQ_KEY": UNIQUE, **STAMPS}


def test_stamps_of_the_client_are_replaced_and_pop_marks_removed(bench: Bench) -> None:
    bench.topic("T")
    text = text_of(MSG_REGION="mine", TRACE_ON="false", CLUSTER="x", POP_CK="1 2", UNIQ_KEY=UNIQUE, DELAY="0")
    bench.peer().ask(send_header("T", properties=text), b"x")
    (message,) = stored(bench)
    assert message.properties == {"UNIQ_KEY": UNIQUE, "DELAY": "0", **STAMPS}
    assert message.properties_text.count("CLUSTER") == 1


def test_tracing_can_be_switched_off_while_it_runs(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    bench.settings.broker.trace_on = False
    assert peer.ask(send_header("T"), b"x").ext["TRACE_ON"] == "false"
    assert stored(bench)[0].properties["TRACE_ON"] == "false"


def test_multi_tag_topics_mark_their_messages(bench: Bench) -> None:
    bench.topic("T", topic_filter_type=TopicFilterType.MULTI_TAG)
    bench.peer().ask(send_header("T"), b"x")
    assert stored(bench)[0].sys_flag == MULTI_TAGS


def test_only_flags_that_are_the_clients_are_taken(bench: Bench) -> None:
    bench.topic("T")
    bench.peer().ask(send_header("T", sys_flag=0x1 | 0x4 | BORN_HOST_V6 | 0x300 | 0x4000), b"x")
    assert stored(bench)[0].sys_flag == 0x301


def test_a_negative_queue_is_chosen_among_those_for_writing(bench: Bench) -> None:
    bench.topics.put(TopicConfig("T", 8, 2))
    peer = bench.peer()
    chosen = {peer.ask(send_header("T", -1), b"x").ext["queueId"] for _ in range(60)}
    assert chosen == {"0", "1"}


def test_a_topic_without_queues_takes_nothing(bench: Bench) -> None:
    bench.topic("T", 0)
    for queue_id in (-1, 0):
        assert bench.peer().ask(send_header("T", queue_id), b"x").code == 29
    assert bench.store.queues() == []


def test_the_queue_must_exist_for_reading_or_writing(bench: Bench) -> None:
    bench.topics.put(TopicConfig("T", 8, 4))
    peer = bench.peer()
    assert peer.ask(send_header("T", 7), b"x").code == 0
    answer = peer.ask(send_header("T", 8), b"x")
    assert answer.code == 29
    assert answer.remark == (
        "request queueId[8] is illegal, TopicConfig [topicName=T, readQueueNums=8, writeQueueNums=4, perm=RW-, "
        "topicFilterType=SINGLE_TAG, topicSysFlag=0, order=false, attributes={}] Producer: 10.0.0.1:40000"
    )


def test_an_unknown_topic_is_made_after_the_template(bench: Bench) -> None:
    answer = bench.peer().ask(send_header("New", 3, default_topic_queue_nums=4, unit_mode=True), b"x")
    assert answer.code == 0
    assert bench.topics.configs["New"] == TopicConfig("New", 4, 4, 6, topic_sys_flag=1)
    answer = bench.peer().ask(send_header("%RETRY%G", 0, default_topic="none", unit_mode=True), b"x")
    assert answer.code == 0
    assert bench.topics.configs["%RETRY%G"] == TopicConfig("%RETRY%G", 1, 1, 6, topic_sys_flag=2)


def test_who_makes_a_topic_is_answered_when_name_servers_know_of_it(bench: Bench) -> None:
    answer = ask_untold(bench, send_header("New", 3), b"x")
    assert (answer.code, answer.ext["queueId"], answer.ext["queueOffset"]) == (0, "3", "0")
    bench.topics.told = Deferred
    answer = bench.peer().ask(send_header("New", 3), b"y")
    assert (answer.code, answer.ext["queueOffset"]) == (0, "1"), "a topic that exists is waited for by nobody"
    refused = bench.peer().ask(send_header("Other", 3, default_topic="none"), b"z")
    assert refused.code == 17


def test_without_auto_creation_an_unknown_topic_is_refused(bench: Bench) -> None:
    bench.settings.broker.auto_create_topic_enable = False
    answer = bench.peer().ask(send_header("New"), b"x")
    assert answer.code == 17
    assert answer.remark is not None
    assert answer.remark.startswith("topic[New] not exist, apply first please!\nSee https://rocketmq.apache.org/")
    assert "New" not in bench.topics.configs


@pytest.mark.parametrize(
    ("topic", "code", "remark"),
    [
        ("../x", 29, "The specified topic: ../x, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("x" * 300, 29, None),
        ("a\nb", 29, None),
        ("SELF_TEST_TOPIC", 16, "Sending message to topic[SELF_TEST_TOPIC] is forbidden."),
        ("SCHEDULE_TOPIC_XXXX", 16, None),
        ("RMQ_SYS_TRANS_HALF_TOPIC", 16, None),
        ("TRANS_CHECK_MAX_TIME_TOPIC", 16, None),
        ("OFFSET_MOVED_EVENT", 16, None),
    ],
)
def test_names_that_are_closed(bench: Bench, topic: str, code: int, remark: str | None) -> None:
    answer = bench.peer().ask(send_header(topic), b"x")
    assert answer.code == code
    if remark is not None:
        assert answer.remark == remark
    assert bench.store.log_max_offset == 0


def test_a_blank_topic_is_an_absent_one_in_the_binary_header(bench: Bench, encoding: int) -> None:
    answer = bench.peer().ask(send_header(""), b"x")
    blank = (29, "The specified topic is blank.")
    absent = (1, "the custom field <b> is null")
    assert (answer.code, answer.remark) == (blank if encoding == SERIALIZE_JSON else absent)


def test_a_broker_closed_for_writing_refuses_ordered_topics_alone_and_first(bench: Bench) -> None:
    bench.topic("T", order=True)
    bench.topic("U")
    bench.settings.broker.broker_permission = 4
    peer = bench.peer()
    answer = peer.ask(send_header("T", 99), b"x")
    assert (answer.code, answer.remark) == (16, "the broker[127.0.0.1] sending message is forbidden")
    assert peer.ask(send_header("U"), b"x").code == 0


def test_sends_before_the_time_that_is_set_are_refused(bench: Bench) -> None:
    bench.topic("T")
    bench.settings.broker.start_accept_send_request_time_stamp = bench.now() + 1
    answer = bench.peer().ask(send_header("T"), b"x")
    assert (answer.code, answer.remark) == (1, f"broker unable to service, until {bench.now() + 1} ms")
    bench.clock.advance(0.001)
    assert bench.peer().ask(send_header("T"), b"x").code == 0


@pytest.mark.parametrize("field", ["a", "b", "e", "f", "g", "h"])
def test_a_required_field_that_is_missing_is_named(bench: Bench, field: str) -> None:
    bench.topic("T")
    ext = encode_header(send_header("T"))
    del ext[field]
    peer = bench.peer()
    peer.send(Command(310, ext, b"x", opaque=1))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark) == (1, f"the custom field <{field}> is null")


@pytest.mark.parametrize(
    ("field", "value"),
    [("e", "x"), ("h", str(1 << 31)), ("g", str(1 << 63)), ("j", str(-(1 << 31) - 1)), ("f", ""), ("g", "9" * 5000)],
)
def test_a_number_that_is_none_is_refused(bench: Bench, field: str, value: str) -> None:
    bench.topic("T")
    answer = bench.peer().ask(send_header("T"), b"x", ext={field: value})
    assert answer.code == 1
    assert bench.store.log_max_offset == 0


def test_one_way_is_never_answered(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.send(
        Command(310, encode_header(send_header("T")), b"x", flag=2),
        Command(310, encode_header(send_header("../x")), b"x", flag=2),
        Command(310, {}, b"x", flag=2),
        Command(9999, {}, b"x", flag=2),
    )
    assert peer.answers() == []
    assert len(stored(bench)) == 1


def test_a_delay_is_told_like_any_send_and_a_time_with_a_handle(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    level = peer.ask(send_header("T", properties=text_of(UNIQ_KEY="U1", DELAY="3"), queue_id=1), b"x")
    assert (level.code, level.ext["queueId"], level.ext["queueOffset"]) == (0, "1", "0")
    assert "recallHandle" not in level.ext
    timed = peer.ask(send_header("T", properties=text_of(UNIQ_KEY="U2", TIMER_DELAY_MS="1500"), queue_id=1), b"x")
    assert (timed.code, timed.ext["queueId"], timed.ext["queueOffset"]) == (0, "1", "0")
    assert timed.ext["transactionId"] == "U2"
    assert base64.urlsafe_b64decode(timed.ext["recallHandle"]) == f"v1 T broker-a {EPOCH + 1}001 U2".encode()
    assert bench.store.max_offset("T", 1) == 0
    assert bench.store.max_offset("SCHEDULE_TOPIC_XXXX", 2) == 1
    assert bench.store.max_offset("rmq_sys_wheel_timer", 0) == 1


@pytest.mark.parametrize(
    ("properties", "body"), [(text_of(a="x" * 33000), b"x"), (None, bytes(4 * 1024 * 1024 + 1))], ids=["text", "body"]
)
def test_a_message_that_is_too_large(bench: Bench, properties: str | None, body: bytes) -> None:
    bench.topic("T")
    answer = bench.peer().ask(send_header("T", properties=properties), body)
    assert answer.code == 13
    assert answer.remark == (
        "the message is illegal, maybe msg body or properties length not matched. msg body length limit 4194304B, "
        "msg properties length limit 32KB."
    )
    assert bench.stats.put_failures == 1
    assert bench.stats.put_total == 0


@pytest.mark.parametrize(
    ("status", "code", "remark"),
    [
        (PutStatus.SERVICE_NOT_AVAILABLE, 14, "service not available now. It may be caused by"),
        (PutStatus.CREATE_MAPPED_FILE_FAILED, 1, "create mapped file failed, server is busy or broken."),
        (PutStatus.UNKNOWN_ERROR, 1, "UNKNOWN_ERROR"),
    ],
)
def test_what_the_store_refuses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, status: PutStatus, code: int, remark: str
) -> None:
    bench.topic("T")
    monkeypatch.setattr(bench.store, "append", lambda *args: AppendResult(status, -1, -1, 0, 0, ()))
    answer = bench.peer().ask(send_header("T"), b"x")
    assert answer.code == code
    assert (answer.remark or "").startswith(remark)


# --- batches --------------------------------------------------------------------------------------------------------


def batch_header(topic: str = "T", properties: str | None = None, **fields: Any) -> SendBatchMessage:
    return SendBatchMessage("PG", topic, "TBW102", 4, 0, 0, 5, 0, properties, batch=True, **fields)


def batch(count: int = 3) -> bytes:
    return encode_batch(
        [
            BatchMessage(i, b"%d" % i, text_of(TAGS=f"t{i}", KEYS=f"k{i}", UNIQ_KEY=f"{UNIQUE[:-1]}{i}").encode())
            for i in range(count)
        ]
    )


def test_messages_of_a_batch_keep_their_own_properties_and_nothing_else(bench: Bench) -> None:
    bench.topic("T")
    answer = bench.peer().ask(batch_header(properties=text_of(UNIQ_KEY=UNIQUE, WAIT="true")), batch())
    found = stored(bench)
    assert answer.code == 0
    assert answer.ext["msgId"] == ",".join(message.offset_id for message in found)
    assert (answer.ext["queueOffset"], answer.ext["transactionId"]) == ("0", UNIQUE)
    assert [message.body for message in found] == [b"0", b"1", b"2"]
    assert [message.flag for message in found] == [0, 1, 2]
    assert [message.queue_offset for message in found] == [0, 1, 2]
    assert [parse_properties(message.properties_text) for message in found] == [
        {"TAGS": f"t{i}", "KEYS": f"k{i}", "UNIQ_KEY": f"{UNIQUE[:-1]}{i}"} for i in range(3)
    ]
    assert bench.stats.put_total == 3
    assert len(bench.store.query_index("T", "k1", 10, 0, 1 << 60).messages) == 1
    only = messages(bench.peer().ask(pull_header("T", subscription="t1")))
    assert [message.body for message in only] == [b"1"]


@pytest.mark.parametrize(
    ("topic", "properties", "body", "remark"),
    [
        ("%RETRY%G", None, batch(), "batch request does not support retry group %RETRY%G"),
        ("%RETRY%" + "x" * 121, None, batch(), "message topic length too long 128"),
        ("T", text_of(DELAY="1"), batch(), "a batch can be neither delayed nor transactional"),
        ("T", None, b"", "the batch is empty"),
        ("T", None, batch()[:-1], None),
        ("T", None, b"\xff" * 40, None),
    ],
)
def test_batches_that_are_refused(
    bench: Bench, topic: str, properties: str | None, body: bytes, remark: str | None
) -> None:
    bench.topic("T")
    answer = bench.peer().ask(batch_header(topic, properties), body)
    assert answer.code == 13
    if remark is not None:
        assert answer.remark == remark
    assert bench.store.log_max_offset == 0


# --- flushing -------------------------------------------------------------------------------------------------------


def test_with_sync_flush_the_answer_waits_for_the_disk_unless_the_message_does_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sync_flush=True)
    bench.topic("T")
    peer = bench.peer()
    peer.send(
        Command(310, encode_header(send_header("T")), b"a", opaque=1),
        Command(310, encode_header(send_header("T", properties=text_of(WAIT="false"))), b"b", opaque=2),
    )
    assert [answer.opaque for answer in peer.answers()] == [2]
    bench.clock.advance(0)
    (late,) = peer.answers()
    assert (late.opaque, late.code, late.ext["queueOffset"]) == (1, 0, "0")
    answer = ask_untold(bench, send_header("New"), b"c")
    assert (answer.code, answer.ext["queueOffset"]) == (0, "0")
    bench.close()
