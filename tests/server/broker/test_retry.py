"""Messages that clients send to retry topics themselves: attempts go there, what is beyond them is a dead letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.server.broker.putting import MessageInner
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import SubscriptionGroupNotExistError
from rmq.wire.requests.pull import PullMessage
from rmq.wire.requests.send import SendMessage
from tests.kit.broker import Bench, messages, pull_header, send_header, text_of

STAMPS = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true", "CLUSTER": "DefaultCluster"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def inner(times: int, group: str = "G") -> MessageInner:
    return MessageInner(f"%RETRY%{group}", 3, b"", {"DELAY": "5"}, 0, 0, 0, b"\x7f\0\0\1\0\0\0\1", times)


@pytest.mark.parametrize(
    ("times", "most", "version", "dead"),
    [
        (2, None, 493, False),
        (3, None, 493, True),
        (5, 5, 493, False),
        (6, 5, 121, True),
        (3, 5, 120, True),
        (1, 0, 493, True),
        (0, 0, 493, False),
    ],
)
def test_attempts_beyond_those_allowed_are_dead_letters(
    bench: Bench, times: int, most: int | None, version: int, dead: bool
) -> None:
    bench.groups.put(SubscriptionGroupConfig("G", retry_max_times=2))
    message = inner(times)
    bench.retry_rules.redirect(message, most, version)
    if dead:
        assert (message.topic, message.queue_id, message.properties) == ("%DLQ%G", 0, {"DELAY": "-1"})
        assert bench.topics.configs["%DLQ%G"].perm == 6
    else:
        assert (message.topic, message.queue_id, message.properties) == ("%RETRY%G", 3, {"DELAY": "5"})
        assert "%DLQ%G" not in bench.topics.configs


def test_a_group_that_consumes_in_order_has_dead_letters_at_once(bench: Bench) -> None:
    bench.locks.lock("G", [MessageQueue("T", "broker-a", 0)], "client")
    message = inner(0)
    bench.retry_rules.redirect(message, None, 493)
    assert message.topic == "%DLQ%G"
    bench.clock.advance(61)
    message = inner(0)
    bench.retry_rules.redirect(message, None, 493)
    assert message.topic == "%RETRY%G"


def test_an_unknown_group_is_refused_unless_it_may_be_made(bench: Bench) -> None:
    bench.settings.broker.auto_create_subscription_group = False
    with pytest.raises(SubscriptionGroupNotExistError, match="subscription group not exist, H "):
        bench.retry_rules.redirect(inner(0, "H"), None, 493)
    bench.settings.broker.auto_create_subscription_group = True
    bench.retry_rules.redirect(inner(0, "H"), None, 493)
    assert "H" in bench.groups.configs


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_consumers_own_send_to_the_retry_topic(bench: Bench) -> None:
    """As Java clients do when sending back has failed: attempts in the header, the place of origin in properties."""
    bench.putter.hooks.clear()
    bench.groups.put(SubscriptionGroupConfig("G", retry_max_times=2))
    peer = bench.peer()
    text = text_of(UNIQ_KEY="U", RETRY_TOPIC="T", ORIGIN_MESSAGE_ID="O", TAGS="a")
    answer = peer.ask(send_header("%RETRY%G", properties=text, reconsume_times=2, max_reconsume_times=2), b"again")
    assert (answer.code, answer.ext["queueId"], answer.ext["queueOffset"], answer.ext["transactionId"]) == (
        0, "0", "0", "U",
    )  # fmt: skip
    (message,) = messages(peer.ask(pull_header("%RETRY%G")))
    expected = {"UNIQ_KEY": "U", "RETRY_TOPIC": "T", "ORIGIN_MESSAGE_ID": "O", "TAGS": "a", **STAMPS}
    assert (message.reconsume_times, message.body, message.properties) == (2, b"again", expected)
    answer = peer.ask(send_header("%RETRY%G", properties=text, reconsume_times=3, max_reconsume_times=2), b"dead")
    assert (answer.code, answer.ext["queueId"], answer.ext["queueOffset"]) == (0, "0", "0")
    (message,) = messages(peer.ask(pull_header("%DLQ%G")))
    assert (message.reconsume_times, message.body, message.properties) == (3, b"dead", {**expected, "DELAY": "-1"})


def test_the_old_form_is_the_same(bench: Bench) -> None:
    bench.putter.hooks.clear()
    header = SendMessage("PG", "%RETRY%G", "TBW102", 4, 0, 0, 5, 6, reconsume_times=1, max_reconsume_times=0)
    assert bench.peer().ask(header, b"old").code == 0
    assert [m.body for m in messages(bench.peer().ask(pull_header("%DLQ%G")))] == [b"old"]


def test_a_send_without_a_group_is_refused(bench: Bench) -> None:
    bench.settings.broker.auto_create_subscription_group = False
    answer = bench.peer().ask(send_header("%RETRY%H"), b"x")
    assert (answer.code, (answer.remark or "").partition("\n")[0]) == (26, "subscription group not exist, H ")
    header: PullMessage = pull_header("%RETRY%H")
    assert bench.peer().ask(header).code == 26
