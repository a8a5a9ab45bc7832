"""What every client must be able to do, written once for the clients of all languages."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

from tests.kit.driver import Driver, Outgoing, Received, Sent, wait_until
from tests.kit.messages import (
    assert_all_received,
    assert_contiguous,
    assert_received_once,
    assert_reported,
    make_messages,
)

MANY = 10_000
BATCH = 32

# Below the 20 s of the clients' own periodic rebalancing: it must come from the broker's notification.
REBALANCE_WITHIN = 15.0
# A client that has just started may need one such period: Java's 5.x at times misses its own start.
SHARED_WITHIN = 60.0


def sends_and_consumes(
    driver: Driver, mode: str, topic: str, *, threads: int = 4, queues: int = 4
) -> tuple[list[Sent], list[Received]]:
    """10,000 messages to an empty topic (or none yet), all of them consumed; the reports are held against them."""
    outgoing = make_messages(topic, MANY)
    driver.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    sent = driver.send(f"P-{topic}", topic, outgoing, mode, size=BATCH, threads=threads)
    driver.push(f"C-{topic}", f"G-{topic}", topic)
    received = assert_received_once(driver.wait_received(f"C-{topic}", MANY), outgoing, topic)
    counts = assert_contiguous(received)
    assert sum(counts.values()) == MANY
    assert list(counts) == list(range(queues))
    if mode != "oneway":
        assert_reported(sent, received, batch=BATCH if mode == "batch" else 1)
    driver.retire(f"C-{topic}")
    driver.retire(f"P-{topic}")
    return sent, received


def wait_for_shares(
    shares: Callable[[], list[list[int]]], expected: Sequence[int], queues: int, *, within: float = SHARED_WITHIN
) -> None:
    """Until the consumers hold so many queues each, all queues together, none twice."""
    wait_until(
        lambda: (
            [len(share) for share in shares()] == list(expected)
            and sorted(itertools.chain(*shares())) == list(range(queues))
        ),
        timeout=within,
        what=lambda: f"queues held: {shares()}, wanted {list(expected)} of {queues}",
    )


def one_joins_and_leaves(
    stays: Driver, guest: Driver, sender: Driver, topic: str, *, queues: int, leave: Callable[[], object]
) -> None:
    """Two clients of one group; messages flow all the time while the second joins, works and leaves.

    RocketMQ's contract: nothing is lost. A queue that changes hands may bring again what its former owner had not
    yet committed; so a message may come to both clients, but while the first is the owner it never comes twice to it.
    """
    group, outgoing = f"G-{topic}", make_messages(topic, MANY)
    thirds = [outgoing[: MANY // 3], outgoing[MANY // 3 : 2 * MANY // 3], outgoing[2 * MANY // 3 :]]
    sender.call("producer", name=f"P-{topic}", group=f"PG-{topic}")

    def send(part: int) -> Callable[[], object]:
        return sender.begin_send(f"P-{topic}", topic, thirds[part], threads=2).result

    def shares() -> list[list[int]]:
        return [stays.queues("stays"), guest.queues("guest")]

    def everything() -> list[Received]:
        return stays.received("stays") + guest.received("guest")

    stays.push("stays", group, topic)
    wait_for_shares(lambda: [stays.queues("stays")], [queues], queues)
    first = send(0)
    guest.push("guest", group, topic)
    wait_until(
        lambda: len(stays.queues("stays")) == queues // 2,
        timeout=REBALANCE_WITHIN,
        what=lambda: f"queues held: {shares()}",
    )
    wait_for_shares(shares, [queues // 2, queues // 2], queues)
    first()
    send(1)()
    wait_until(
        lambda: len({m.msg_id for m in everything()}) == 2 * MANY // 3,
        timeout=60,
        what=lambda: f"{len({m.msg_id for m in everything()})} of {2 * MANY // 3} different messages arrived",
    )
    last = send(2)
    leave()
    wait_for_shares(lambda: [stays.queues("stays")], [queues], queues, within=REBALANCE_WITHIN)
    last()

    wait_until(
        lambda: len({m.msg_id for m in everything()}) == MANY,
        timeout=60,
        what=lambda: f"{len({m.msg_id for m in everything()})} of {MANY} different messages arrived",
    )
    assert_all_received(everything(), outgoing, topic)
    assert_contiguous(everything())
    in_the_middle = {message.keys for message in thirds[1]}
    assert {m.keys for m in guest.received("guest")} & in_the_middle, (
        "the guest held half of the queues and received nothing"
    )
    repeated = [key for key, times in Counter(m.keys for m in everything()).items() if times > 1]
    for client in (stays.received("stays"), guest.received("guest")):
        assert max(Counter(m.keys for m in client).values()) == 1
    moved = {m.queue_id for m in guest.received("guest")}
    assert {m.queue_id for m in everything() if m.keys in set(repeated)} <= moved
    stays.retire("stays")
    sender.retire(f"P-{topic}")


def broadcasts(first: Driver, second: Driver, topic: str, outgoing: Sequence[Outgoing]) -> None:
    """Two broadcasting clients of one group: each is handed every message once."""
    first.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    first.send(f"P-{topic}", topic, outgoing)
    for driver, name in ((first, f"B1-{topic}"), (second, f"B2-{topic}")):
        driver.push(name, f"G-{topic}", topic, model="BROADCASTING")
    for driver, name in ((first, f"B1-{topic}"), (second, f"B2-{topic}")):
        received = driver.wait_received(name, len(outgoing))
        assert_contiguous(assert_received_once(received, outgoing, topic))
        driver.retire(name)
    first.retire(f"P-{topic}")


def filters_tags(driver: Driver, topic: str) -> None:
    """A subscription to two of three tags brings exactly their messages."""
    outgoing = make_messages(topic, 300)
    driver.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    driver.send(f"P-{topic}", topic, outgoing)
    driver.push(f"C-{topic}", f"G-{topic}", topic, expression="TagA || TagC")
    received = driver.wait_received(f"C-{topic}", 200)
    # A message of the third tag that slipped through would come before this last one.
    driver.send(f"P-{topic}", topic, make_messages(f"{topic}-again", 30))
    received = driver.wait_received(f"C-{topic}", 220)
    assert Counter(m.tags for m in received) == {"TagA": 110, "TagC": 110}
    wanted = {m.keys for m in outgoing if m.tags != "TagB"} | {
        m.keys for m in make_messages(f"{topic}-again", 30) if m.tags != "TagB"
    }
    assert {m.keys for m in received} == wanted
    driver.retire(f"C-{topic}")
    driver.retire(f"P-{topic}")
