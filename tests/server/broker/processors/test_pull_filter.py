"""Pulls with SQL92 filters: what is refused, what is found, what wakes."""

from collections.abc import Sequence
from typing import Any

import pytest

from rmq.wire.bodies.heartbeat import (
    CheckClientRequestBody,
    ConsumerData,
    HeartbeatData,
    MessageModel,
    SubscriptionData,
)
from rmq.wire.command import Command
from rmq.wire.declare import encode_body, encode_header
from rmq.wire.requests.client import CheckClientConfig, UnregisterClient
from tests.kit.broker import Bench, beat, messages, pull_header, send_header, text_of
from tests.kit.peer import MemoryPeer

HEARTBEATS, OWN, WAIT = 0, 4, 2
OFF = "The broker does not support consumer to filter message by SQL92"


@pytest.fixture
def sql(bench: Bench) -> Bench:
    bench.settings.broker.enable_property_filter = True
    bench.topic("T")
    return bench


def fill(bench: Bench, *values: object, topic: str = "T", **properties: str) -> None:
    peer = bench.peer()
    for value in values:
        header = send_header(topic, properties=text_of(**properties, a=str(value)))
        assert peer.ask(header, str(value).encode()).code == 0


def member(bench: Bench, *wanted: SubscriptionData, group: str = "G") -> MemoryPeer:
    peer = bench.peer()
    data = ConsumerData(group, message_model=MessageModel.CLUSTERING, subscription_data_set=list(wanted))
    beat(peer, HeartbeatData("m", [], [data]))
    return peer


def subscription(expression: str, version: int = 5, topic: str = "T") -> SubscriptionData:
    return SubscriptionData(topic, expression, sub_version=version, expression_type="SQL92")


def own(expression: str, offset: int = 0, **fields: Any) -> Any:
    return pull_header("T", offset, **{"subscription": expression, "expression_type": "SQL92", **fields})


def bodies(answer: Command) -> list[bytes]:
    return [message.body for message in messages(answer)]


def outcome(answer: Command) -> tuple[int, str | None, int]:
    return answer.code, answer.remark, int(answer.ext.get("nextBeginOffset", "-1"))


# --- what is refused ------------------------------------------------------------------------------------------------


def test_order_of_refusals(sql: Bench) -> None:
    """The group's filter is looked for even where filters are switched off, as Apache does."""
    peer = sql.peer()
    sql.settings.broker.enable_property_filter = False
    member(sql, subscription("a >"))

    def refused(sub_version: int) -> tuple[int, str | None]:
        answer = peer.ask(pull_header("T", sys_flag=HEARTBEATS, sub_version=sub_version))
        return answer.code, answer.remark

    assert refused(6) == (25, "the consumer's subscription not latest")
    assert refused(5) == (27, "The broker's consumer filter data is not exist!Your expression may be wrong!")
    sql.filters.register("G", [subscription("a > 1", 4)])
    assert refused(5) == (28, "the consumer's consumer filter data not latest")
    sql.filters.register("G", [subscription("a > 1", 5)])
    assert refused(5) == (1, OFF)
    sql.settings.broker.enable_property_filter = True
    assert refused(5) == (19, "NO_MATCHED_LOGIC_QUEUE")


def test_order_of_refusals_of_an_expression_in_the_pull(sql: Bench) -> None:
    peer = sql.peer()
    assert peer.ask(own("")).code == 23
    wrong = peer.ask(own("a > = 1"))
    assert (wrong.code, wrong.remark) == (
        23,
        "parse the consumer's subscription failed, "
        "Encountered '=' at line 1, column 5: a property, a literal or a parenthesis was expected",
    )
    assert peer.ask(own("a > 1", expression_type="XPATH")).code == 23
    sql.settings.broker.enable_property_filter = False
    assert outcome(peer.ask(own("a > = 1")))[:2] == (1, OFF)


@pytest.mark.parametrize(
    ("kind", "expression", "enabled", "code", "remark"),
    [
        ("TAG", "a ||", True, 0, None),
        ("", None, False, 0, None),
        ("SQL92", "a > 1", True, 0, None),
        ("SQL92", "a > 1", False, 1, OFF),
        ("SQL92", "a >\n 1 AND ", True, 23, "Encountered the end at line 2, column 7: a property, a literal or a "
                                            "parenthesis was expected"),
        ("SQL92", None, True, 23, "Encountered the end at line 0, column 0: a property, a literal or a parenthesis "
                                  "was expected"),
        ("XPATH", "a", True, 23, "expressions of type XPATH are not known here"),
    ],
)  # fmt: skip
def test_checking_a_subscription(
    sql: Bench, kind: str, expression: str | None, enabled: bool, code: int, remark: str | None
) -> None:
    sql.settings.broker.enable_property_filter = enabled
    body = encode_body(CheckClientRequestBody("c", "G", SubscriptionData("T", expression, expression_type=kind)))
    answer = sql.peer().ask(CheckClientConfig(), body)
    assert (answer.code, answer.remark) == (code, remark)


# --- what is found --------------------------------------------------------------------------------------------------


def test_the_filter_of_the_pull(sql: Bench) -> None:
    fill(sql, *range(10))
    peer = sql.peer()
    answer = peer.ask(own("a BETWEEN 3 AND 5 OR a = 8"))
    assert (bodies(answer), outcome(answer)) == ([b"3", b"4", b"5", b"8"], (0, None, 10))
    answer = peer.ask(own("a BETWEEN 3 AND 5", max_msg_nums=2))
    assert (bodies(answer), outcome(answer)) == ([b"3", b"4"], (0, None, 5))
    assert outcome(peer.ask(own("a > 100"))) == (20, "NO_MATCHED_MESSAGE", 10)


def test_the_filter_of_the_heartbeats(sql: Bench) -> None:
    fill(sql, *range(10), "x")
    member(sql, subscription("a > 7"))
    peer = sql.peer()
    assert bodies(peer.ask(pull_header("T", sys_flag=HEARTBEATS, sub_version=5))) == [b"8", b"9"]
    member(sql, subscription("a = 'x'", 6))
    assert bodies(peer.ask(pull_header("T", sys_flag=HEARTBEATS, sub_version=6))) == [b"x"]


def test_all_messages_of_a_class_filter_come(sql: Bench) -> None:
    """Class filters are the client's own work."""
    fill(sql, 1, 2)
    wanted = subscription("a > 1")
    wanted.class_filter_mode = True
    assert bodies(member(sql, wanted).ask(pull_header("T", sys_flag=HEARTBEATS))) == [b"1", b"2"]


def test_hashes_of_tags_do_not_matter(sql: Bench) -> None:
    fill(sql, 1, 2, TAGS="x")
    wanted = subscription("a > 1")
    wanted.code_set = {12345}
    assert bodies(member(sql, wanted).ask(pull_header("T", sys_flag=HEARTBEATS))) == [b"2"]


def test_a_filter_passes_over_so_many_messages_of_a_pull(sql: Bench) -> None:
    fill(sql, *range(810))
    assert outcome(sql.peer().ask(own("a > 10000"))) == (20, "NO_MATCHED_MESSAGE", 800)


def test_the_group_leaves_and_its_filter_dies(sql: Bench) -> None:
    peer = member(sql, subscription("a > 1"))
    data = sql.filters.find("T", "G")
    assert data is not None
    assert not data.is_dead
    assert peer.ask(UnregisterClient(client_id="m", consumer_group="G")).code == 0
    assert data.is_dead


@pytest.mark.parametrize(
    ("support", "found"), [(False, [b"1", b"5", b"9"]), (True, [b"5", b"9"])]
)
def test_retried_messages(sql: Bench, support: bool, found: Sequence[bytes]) -> None:
    """With the setting they are looked at with the filter for the topic they come from; other topics' all come."""
    sql.settings.broker.filter_support_retry = support
    member(sql, subscription("a > 3"))
    sql.topic("%RETRY%G")
    fill(sql, 1, 5, topic="%RETRY%G", RETRY_TOPIC="T")
    fill(sql, 9, topic="%RETRY%G", RETRY_TOPIC="Other")
    header = pull_header("%RETRY%G", subscription="a > 0", expression_type="SQL92")
    assert bodies(sql.peer().ask(header)) == list(found)


# --- waiting --------------------------------------------------------------------------------------------------------


def park(bench: Bench, expression: str, offset: int = 0) -> MemoryPeer:
    peer = bench.peer()
    peer.send(Command(11, encode_header(own(expression, offset, sys_flag=OWN | WAIT)), opaque=1))
    assert peer.answers() == []
    return peer


def test_only_a_message_that_passes_wakes(sql: Bench) -> None:
    peer = park(sql, "a > 5")
    fill(sql, 1, 2, 3)
    assert peer.answers() == []
    fill(sql, 6)
    (answer,) = peer.answers()
    assert (bodies(answer), outcome(answer)) == ([b"6"], (0, None, 4))


def test_whoever_was_passed_by_learns_it_after_five_seconds(sql: Bench) -> None:
    fill(sql, 0)
    passed_by = park(sql, "a > 5", 1)
    fill(sql, 1)
    waiting = park(sql, "a > 6", 2)
    sql.clock.pump([1] * 4)
    assert passed_by.answers() == []
    sql.clock.advance(1)
    assert [outcome(answer) for answer in passed_by.answers()] == [(20, "NO_MATCHED_MESSAGE", 2)]
    assert waiting.answers() == []
    fill(sql, 7)
    assert bodies(*waiting.answers()) == [b"7"]


def test_time_ends_the_wait(sql: Bench) -> None:
    peer = park(sql, "a > 5")
    sql.clock.pump([1] * 15)
    assert [outcome(answer)[0] for answer in peer.answers()] == [19]


def test_each_newcomer_is_looked_at_once(sql: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    read = sql.store.queue_message

    def note(topic: str, queue_id: int, offset: int) -> bytes | None:
        looked.append(offset)
        return read(topic, queue_id, offset)

    monkeypatch.setattr(sql.store, "queue_message", note)
    peer = park(sql, "a > 5")
    fill(sql, 1, 2, 3, 9, 4)
    assert looked == [0, 1, 2, 3]
    assert bodies(*peer.answers()) == [b"9"]


def test_a_filter_that_fails_on_a_message_does_not_wake(sql: Bench) -> None:
    peer = park(sql, "a > 5")
    fill(sql, "x", "", "9" * 40)
    assert peer.answers() == []
