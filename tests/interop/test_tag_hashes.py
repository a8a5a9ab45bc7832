"""Tags become numbers in queues; consumers compare the tags themselves once more. Both are held against Apache's."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.wire.errors import SubscriptionParseError
from rmq.wire.javahash import IndexKeyHash
from rmq.wire.message import decode_messages, tags_code
from rmq.wire.subscription import build_subscription
from tests.golden.record_hashes import RECORDING
from tests.kit import toolchains
from tests.kit.apachehashes import ApacheHashes
from tests.kit.driver import Driver, Outgoing
from tests.kit.frames import ask, create_topic
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

PULL_MESSAGE, QUERY_CONSUME_QUEUE = 11, 321
WITH_SUBSCRIPTION = 4

_CHARACTERS = st.characters(exclude_categories=("Cs",))
_TEXTS = st.one_of(
    st.text(_CHARACTERS, max_size=300),
    st.text("0123456789ABCDEF", min_size=32, max_size=32),
    st.text("0123456789ABCDEF", min_size=56, max_size=56),
    st.text("AaBb", max_size=8),
)
_PIECES = st.sampled_from(("||", "|", " || ", "TagA", "Tag B", "Aa", "BB", "*", " ", "\t", "键"))
_EXPRESSIONS = st.lists(_PIECES | st.text(_CHARACTERS, max_size=4), max_size=7).map("".join)


@pytest.fixture(scope="module")
def apache_hashes() -> Iterator[ApacheHashes]:
    toolchains.require("java")
    started = ApacheHashes()
    yield started
    started.close()


@given(st.text(_CHARACTERS, min_size=1, max_size=130), st.lists(_TEXTS, min_size=1, max_size=30))
@settings(max_examples=300, deadline=None)
def test_hashes_are_apaches(apache_hashes: ApacheHashes, topic: str, texts: list[str]) -> None:
    answer = apache_hashes.ask(topic, texts)
    hashes = IndexKeyHash(topic)
    assert [tags_code(text) for text in texts] == answer["tags"]
    assert [hashes.hash_of(text) for text in texts] == answer["keys"]


@given(st.lists(_EXPRESSIONS, min_size=1, max_size=10))
@settings(max_examples=300, deadline=None)
def test_expressions_mean_what_apaches_mean(apache_hashes: ApacheHashes, expressions: list[str]) -> None:
    answers = apache_hashes.ask("T", expressions)["subscriptions"]
    for expression, theirs in zip(expressions, answers, strict=True):
        if theirs is None:
            with pytest.raises(SubscriptionParseError):
                build_subscription("T", expression)
        else:
            ours = build_subscription("T", expression)
            assert (expression, ours.tags_set, ours.code_set) == (expression, set(theirs[0]), set(theirs[1]))


def test_recorded_hashes_are_still_apaches(apache_hashes: ApacheHashes) -> None:
    """The recording is that of this release."""
    recorded = json.loads(RECORDING.read_text(encoding="utf-8"))
    texts = list(recorded["hashes"])
    answer = apache_hashes.ask(recorded["topic"], texts)
    assert list(map(list, zip(answer["tags"], answer["keys"], strict=True))) == list(recorded["hashes"].values())


# Three pairs with one hash each; the last of them has no tag at all.
TAGS = ["Aa", "BB", "AaAa", "BBBB", "Siblings", "Teheran", "键 值", "\U0001f600", "polygenelubricants", None]
EXPRESSION = "BB|| AaAa ||Siblings || 键 值||\U0001f600"
WANTED = {"BB", "AaAa", "Siblings", "键 值", "\U0001f600"}


@pytest.mark.parametrize("kind", [*toolchains.JAVA_CLIENT_VERSIONS, "go"])
def test_tags_with_one_hash_are_told_apart(
    kind: str, server: RunningServer, shared_drivers: StartDriver, apache_hashes: ApacheHashes
) -> None:
    """The broker gives what has the hash, and the client takes what has the tag."""
    toolchains.require("go" if kind == "go" else "java")
    driver = shared_drivers(toolchains.go_client() if kind == "go" else toolchains.java_client(kind))
    topic = f"Tag-hashes-{kind.replace('.', '-')}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    driver.call("producer", name=f"P-{topic}", group="PG-tags")
    messages = [Outgoing(f"{n} {tag}".encode(), tag) for n, tag in enumerate(TAGS * 3)]
    driver.send(f"P-{topic}", topic, messages, threads=1)
    driver.push(f"C-{topic}", f"G-{topic}", topic, expression=EXPRESSION)
    # Go's client hashes bytes instead of Java's characters, so that it gets no tags beyond ASCII from any broker.
    wanted = [m for m in messages if m.tags is not None and m.tags in WANTED and (m.tags.isascii() or kind != "go")]
    received = driver.wait_received(f"C-{topic}", len(wanted))
    assert sorted((m.body, m.tags) for m in received) == sorted((m.body, m.tags) for m in wanted)
    codes = apache_hashes.ask(topic, [tag or "" for tag in TAGS])["tags"]
    header, body = ask(
        server.broker_addr, QUERY_CONSUME_QUEUE, {"topic": topic, "queueId": "0", "index": "0", "count": "30"}
    )
    assert header["code"] == 0, header
    assert [entry["tagsCode"] for entry in json.loads(body)["queueData"]] == codes * 3
    fields = {
        "consumerGroup": f"G-{topic}", "topic": topic, "queueId": "0", "queueOffset": "0", "maxMsgNums": "32",
        "sysFlag": str(WITH_SUBSCRIPTION), "commitOffset": "0", "suspendTimeoutMillis": "0", "subVersion": "0",
        "subscription": EXPRESSION, "expressionType": "TAG",
    }  # fmt: skip
    given_out = [message.body.decode() for message in decode_messages(ask(server.broker_addr, PULL_MESSAGE, fields)[1])]
    subscribed = {code for tag, code in zip(TAGS, codes, strict=True) if tag in WANTED}
    assert given_out == [message.body.decode() for message, code in zip(messages, codes * 3, strict=True)
                         if code in subscribed]  # fmt: skip
    assert len(given_out) == 3 * 8
    driver.retire(f"C-{topic}")
    driver.retire(f"P-{topic}")
