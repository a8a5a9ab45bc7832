"""Rehearsals: what changes something is held back and noted, everything else passes."""

import asyncio
from typing import Any

import pytest

from rmq.client.admin.dryrun import MASKED, Change, HoldingBack
from rmq.wire.bodies.topic import TopicConfig, TopicList
from rmq.wire.declare import REQUESTS, body, decode_body, encode_header, neutral_body, neutral_header
from rmq.wire.requests.broker import UpdateBrokerConfig
from rmq.wire.requests.group import UpdateAndCreateSubscriptionGroup
from rmq.wire.requests.kv import PutKVConfig
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver, WipeWritePermOfBroker, WipeWritePermReply
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.requests.topic import DeleteTopicInBroker
from tests.kit.adminfake import FakeServers

ADDRESS = "10.0.0.1:10911"


@body
class Account:
    """A body with a secret inside."""

    name: str = ""
    password: str | None = None
    nested: dict[str, str] | None = None


def call(held: HoldingBack, header: Any, payload: Any = b"") -> Any:
    return asyncio.run(held.call(ADDRESS, header, payload))


def test_a_question_passes() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["T"])})
    held = HoldingBack(servers)
    assert call(held, GetAllTopicListFromNameserver()).json(TopicList).topic_list == ["T"]
    assert held.changes == []
    assert len(servers.calls) == 1


def test_a_change_is_held_back_and_noted() -> None:
    servers = FakeServers()
    held = HoldingBack(servers)
    answer = call(held, DeleteTopicInBroker("T"))
    assert (answer.code, answer.body, answer.address) == (0, b"", ADDRESS)
    assert servers.calls == []
    assert held.changes == [Change("send", "DELETE_TOPIC_IN_BROKER", 215, ADDRESS, fields={"topic": "T"})]


def test_a_change_that_is_not_answered() -> None:
    servers = FakeServers()
    held = HoldingBack(servers)
    asyncio.run(held.send_oneway(ADDRESS, DeleteTopicInBroker("T")))
    assert servers.calls == []
    assert [change.request for change in held.changes] == ["DELETE_TOPIC_IN_BROKER"]
    asyncio.run(held.send_oneway(ADDRESS, GetAllTopicListFromNameserver()))
    assert len(servers.calls) == 1


def test_the_neutral_answer_has_the_required_fields() -> None:
    reply: WipeWritePermReply = call(HoldingBack(FakeServers()), WipeWritePermOfBroker("b")).header
    assert reply.wipe_topic_count == 0


def test_fields_have_readable_names_and_absent_ones_are_left_out() -> None:
    held = HoldingBack(FakeServers())
    header = SendMessageV2("P", "T", "TBW102", 4, 2, 0, 123, 0)
    call(held, header, b"hello")
    (change,) = held.changes
    assert change.request == "SEND_MESSAGE_V2"
    assert list(change.fields)[:5] == ["producerGroup", "topic", "defaultTopic", "defaultTopicQueueNums", "queueId"]
    assert None not in change.fields.values()
    assert change.body == "hello"


def test_bodies_are_shown() -> None:
    held = HoldingBack(FakeServers())
    call(held, UpdateAndCreateSubscriptionGroup(), TopicConfig("T"))
    assert held.changes[0].body["topicName"] == "T"
    call(held, PutKVConfig("N", "K", "V"))
    assert held.changes[1].fields == {"namespace": "N", "key": "K", "value": "V"}
    assert held.changes[1].body is None


def test_secrets_are_masked() -> None:
    held = HoldingBack(FakeServers())
    call(held, UpdateAndCreateSubscriptionGroup(), Account("u", "pw", {"secretKey": "x", "b": "y"}))
    assert held.changes[0].body == {"name": "u", "nested": {"b": "y", "secretKey": MASKED}, "password": MASKED}
    call(held, UpdateBrokerConfig(), (
        b"a=1\ntls.client.keyPassword=pw\ninnerClientAuthenticationCredentials={x}\ninitAuthenticationUser={y}\nb=2\n"
    ))
    assert held.changes[1].body == (
        f"a=1\ntls.client.keyPassword={MASKED}\ninnerClientAuthenticationCredentials={MASKED}\n"
        f"initAuthenticationUser={MASKED}\nb=2\n"
    )
    call(held, UpdateBrokerConfig(), b"no secret\nb=2\n my secret = x\n")
    assert held.changes[2].body == f"no secret\nb=2\n my secret ={MASKED}\n"


def test_files() -> None:
    held = HoldingBack(FakeServers())
    held.note_file("/x/y", "text")
    held.note_file("/x/z", b"a\xff")
    assert held.changes == [Change("write", path="/x/y", body="text"), Change("write", path="/x/z", body="a\ufffd")]


@pytest.mark.parametrize("spec", [spec for spec in REQUESTS.values() if spec.changes], ids=lambda spec: spec.name)
def test_every_change_has_a_neutral_answer(spec: Any) -> None:
    if spec.reply is not None:
        encode_header(neutral_header(spec.reply))
    if spec.reply_body is not None:
        decode_body(spec.reply_body, neutral_body(spec.reply_body))
