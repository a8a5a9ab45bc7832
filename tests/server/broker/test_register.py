"""Registration: when it happens, what is sent, who waits for it, and what a silent name server delays (nothing at the
others)."""

from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rmq.remoting.calls import Answer
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError, UnreadableAnswerError
from rmq.server.broker.register import Registrar
from rmq.wire.bodies.registration import body_crc, decode_registration
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper
from rmq.wire.command import Command
from rmq.wire.errors import RemotingError
from rmq.wire.requests.registration import RegisterBroker, UnregisterBroker


class Link:
    """A connection."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Any], None]] = []

    def on_close(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)


class Calls:
    """A client whose calls wait until the test answers them."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any, Any, Deferred[Any]]] = []
        self.down: set[str] = set()
        self.connections: dict[str, Link] = {}
        self.attempts: list[str] = []

    def call(self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self.made.append((address, header, body, result))
        return result

    def connection(self, address: str) -> Deferred[Any]:
        if address not in self.connections:
            self.attempts.append(address)
            if address in self.down:
                return fail(ConnectFailedError(address, "refused"))
            self.connections[address] = Link()
        return succeed(self.connections[address])

    def cut(self, address: str) -> None:
        """Ends a connection, and with it the calls over it."""
        gone = self.connections.pop(address)
        while address in self.take():
            self.answer(address, error=ConnectionClosedError(address))
        for callback in gone.callbacks:
            callback(gone)

    def take(self) -> list[str]:
        """Who was called, in order; the calls stay open."""
        return [address for address, _, _, _ in self.made]

    def answer(
        self,
        address: str,
        *,
        fail: bool = False,
        refuse: bool = False,
        body: bytes = b"",
        ext: dict[str, str] | None = None,
        error: Exception | None = None,
    ) -> None:
        """Answers the oldest open call to an address."""
        index = self.take().index(address)
        _, header, _, result = self.made.pop(index)
        if error is not None:
            result.errback(Failure(error))
        elif refuse:
            result.errback(Failure(RemotingError("register broker failed")))
        elif fail:
            result.errback(Failure(CallTimeoutError(address, 3.0)))
        else:
            result.callback(Answer(type(header), Command(0, ext, body), address))


class Scene:
    def __init__(self, *servers: str, cost: float = 0.0, compressed: bool = False, broker_id: int = 0) -> None:
        self.clock = Clock()
        self.calls = Calls()
        self.servers = list(servers)
        self.table = {"T": TopicConfig("T", 1, 2)}
        self.registrar = Registrar(
            self.clock,
            self.calls,  # type: ignore[arg-type]
            name_servers=lambda: self.servers,
            identity=("C", "broker-a", broker_id, "1.2.3.4:10911", "1.2.3.4:10912"),
            topics=self.topics,
            ordered=lambda names: self.ordered.append(list(names)),
            on_master=lambda *where: self.masters.append(where),
            compressed=lambda: compressed,
        )
        self.cost = cost
        self.ordered: list[list[str]] = []
        self.masters: list[tuple[str | None, str | None]] = []

    def topics(self, names: Collection[str] | None) -> TopicConfigAndMappingSerializeWrapper:
        self.clock.rightNow += self.cost
        return TopicConfigAndMappingSerializeWrapper(
            {name: config for name, config in self.table.items() if names is None or name in names}
        )

    def up(self) -> None:
        """Every name server knows everything."""
        self.registrar.start()
        for address in self.calls.take():
            self.calls.answer(address)

    def waiting(self) -> list[None]:
        """Gets an item when the changes so far were told."""
        over: list[None] = []
        told = self.registrar.told()
        assert told is not None
        told.addCallback(over.append)
        return over

    def carried(self) -> list[tuple[str, list[str]]]:
        """Who is being told, and which topics."""
        return [
            (
                address,
                list(
                    decode_registration(
                        body, compressed=False, version=493
                    ).topic_config_serialize_wrapper.topic_config_table
                ),
            )
            for address, _, body, _ in self.calls.made
        ]


def test_the_first_round_is_over_when_all_have_answered_or_failed() -> None:
    scene = Scene("a", "b")
    over: list[Any] = []
    scene.registrar.start().addCallback(over.append)
    assert scene.calls.take() == ["a", "b"]
    scene.calls.answer("b", fail=True)
    assert over == []
    scene.calls.answer("a")
    assert over == [None]


def test_a_registration_says_who_and_what() -> None:
    for compressed in (False, True):
        scene = Scene("a", compressed=compressed)
        scene.registrar.start()
        ((_, header, body, _),) = scene.calls.made
        assert header == RegisterBroker(
            "broker-a", "1.2.3.4:10911", "C", "1.2.3.4:10912", 0,
            enable_acting_master=False, compressed=compressed, body_crc32=body_crc(body),
        )  # fmt: skip
        registration = decode_registration(body, compressed=compressed, version=493)
        assert registration.topic_config_serialize_wrapper.topic_config_table == scene.table


def test_every_thirty_seconds() -> None:
    scene = Scene("a")
    scene.registrar.start()
    for _ in range(3):
        assert scene.calls.take() == ["a"]
        scene.calls.answer("a")
        assert scene.calls.take() == []
        scene.clock.advance(30)


def test_without_a_name_server_there_is_nothing_to_wait_for() -> None:
    scene = Scene()
    over: list[Any] = []
    scene.registrar.start().addCallback(over.append)
    assert over == [None]
    scene.servers.append("a")
    scene.registrar.changed()
    assert scene.calls.take() == ["a"]


def test_changes_under_way_are_gathered_into_one() -> None:
    scene = Scene("a")
    scene.registrar.start()
    for _ in range(5):
        scene.registrar.changed()
    scene.table["U"] = TopicConfig("U")
    assert scene.calls.take() == ["a"]
    scene.calls.answer("a")
    scene.clock.advance(0)
    ((_, _, body, _),) = scene.calls.made
    registration = decode_registration(body, compressed=False, version=493)
    assert registration.topic_config_serialize_wrapper.topic_config_table.keys() == {"T", "U"}
    scene.calls.answer("a")
    scene.clock.advance(1)
    assert scene.calls.take() == []


def test_a_silent_name_server_delays_nothing_at_the_others() -> None:
    scene = Scene("a", "b")
    scene.registrar.start()
    scene.calls.answer("b")
    scene.registrar.changed()
    assert scene.calls.take() == ["a", "b"]
    scene.calls.answer("b")
    scene.calls.answer("a", fail=True)
    scene.clock.advance(0)
    assert scene.calls.take() == []
    scene.clock.advance(30)
    assert scene.calls.take() == ["a", "b"]


def test_a_change_carries_the_topics_that_changed() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.table["U"] = TopicConfig("U")
    scene.registrar.changed(["U"])
    assert scene.carried() == [("a", ["U"]), ("b", ["U"])]


def test_each_name_server_is_told_what_it_does_not_know_yet() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.table.update({name: TopicConfig(name) for name in "UVW"})
    scene.registrar.changed(["U"])
    scene.calls.answer("b")
    scene.registrar.changed(["V"])
    scene.registrar.changed(["W", "V"])
    assert scene.carried() == [("a", ["U"]), ("b", ["V"])]
    scene.calls.answer("a")
    scene.calls.answer("b")
    scene.clock.advance(0)
    assert sorted(scene.carried()) == [("a", ["V", "W"]), ("b", ["V", "W"])]
    scene.calls.answer("a")
    scene.calls.answer("b")
    scene.clock.advance(1)
    assert scene.carried() == []


def test_a_change_of_no_topic_carries_everything() -> None:
    scene = Scene("a")
    scene.up()
    scene.table["U"] = TopicConfig("U")
    scene.registrar.changed(["U"])
    scene.registrar.changed([])
    scene.registrar.changed(["U"])
    assert scene.carried() == [("a", ["U"])]
    scene.calls.answer("a")
    scene.clock.advance(0)
    assert scene.carried() == [("a", ["T", "U"])]


def test_a_name_server_that_was_added_is_told_everything() -> None:
    scene = Scene("a")
    scene.up()
    scene.servers.append("b")
    scene.table["U"] = TopicConfig("U")
    scene.registrar.changed(["U"])
    assert scene.carried() == [("a", ["U"]), ("b", ["T", "U"])]


def test_a_name_server_that_has_forgotten_the_broker_is_told_everything_at_once() -> None:
    scene = Scene("a")
    scene.up()
    scene.table["U"] = TopicConfig("U")
    scene.registrar.changed(["U"])
    over = scene.waiting()
    scene.calls.answer("a", refuse=True)
    scene.clock.advance(0)
    assert scene.carried() == [("a", ["T", "U"])]
    assert over == []
    scene.calls.answer("a", refuse=True)
    assert over == [None]
    scene.clock.advance(1)
    assert scene.carried() == []


def test_a_name_server_that_failed_is_told_everything_with_the_next_round() -> None:
    scene = Scene("a")
    scene.up()
    scene.table["U"] = TopicConfig("U")
    scene.registrar.changed(["U"])
    scene.calls.answer("a", fail=True)
    scene.registrar.changed(["T"])
    scene.clock.advance(29)
    assert scene.carried() == []
    scene.clock.advance(1)
    assert scene.carried() == [("a", ["T", "U"])]
    scene.calls.answer("a")
    scene.registrar.changed(["T"])
    assert scene.carried() == [("a", ["T"])]


def test_told_when_every_name_server_has_answered() -> None:
    scene = Scene("a", "b")
    scene.up()
    assert scene.registrar.told() is None
    scene.registrar.changed(["T"])
    first = scene.waiting()
    scene.calls.answer("a")
    assert first == []
    scene.registrar.changed(["U"])
    second = scene.waiting()
    scene.calls.answer("b")
    assert (first, second) == ([None], [])
    scene.clock.advance(0)
    scene.calls.answer("b")
    assert second == []
    scene.calls.answer("a")
    assert second == [None]
    assert scene.registrar.told() is None


def test_nobody_waits_for_a_name_server_that_failed() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.registrar.changed(["T"])
    under_way = scene.waiting()
    scene.registrar.changed(["U"])
    next_one = scene.waiting()
    scene.calls.answer("a")
    scene.calls.answer("b", fail=True)
    assert (under_way, next_one) == ([None], [])
    scene.clock.advance(0)
    scene.calls.answer("a")
    assert next_one == [None]
    scene.clock.advance(30)
    assert scene.calls.take() == ["a", "b"]
    scene.calls.answer("a")
    assert scene.registrar.told() is None


def test_a_stop_lets_everybody_go() -> None:
    scene = Scene("a")
    scene.up()
    scene.registrar.changed(["T"])
    scene.registrar.changed(["U"])
    over = scene.waiting()
    scene.registrar.stop()
    scene.calls.answer("a", fail=True)
    assert over == [None]
    resting = Scene("a")
    resting.up()
    resting.registrar.changed(["T"])
    resting.registrar.changed(["U"])
    over = resting.waiting()
    resting.calls.answer("a")
    resting.registrar.stop()
    resting.clock.advance(0)
    assert over == [None]


def test_a_large_registration_is_followed_by_a_rest() -> None:
    scene = Scene("a", cost=0.5)
    scene.registrar.start()
    scene.registrar.changed()
    scene.calls.answer("a")
    scene.registrar.changed()
    scene.clock.advance(1.9)
    assert scene.calls.take() == []
    scene.clock.advance(0.2)
    assert scene.calls.take() == ["a"]


def test_a_name_server_that_was_taken_out_is_left_alone() -> None:
    scene = Scene("a")
    scene.registrar.start()
    scene.registrar.changed()
    scene.servers.clear()
    scene.calls.answer("a")
    scene.clock.advance(0)
    assert scene.calls.take() == []


def test_stop_unregisters_everywhere_and_ends_the_rounds() -> None:
    scene = Scene("a", "b")
    scene.registrar.start()
    scene.calls.answer("a")
    scene.calls.answer("b")
    over: list[Any] = []
    scene.registrar.stop().addCallback(over.append)
    good_bye = UnregisterBroker("broker-a", "1.2.3.4:10911", "C", 0)
    assert [header for _, header, _, _ in scene.calls.made] == [good_bye] * 2
    scene.registrar.changed()
    scene.clock.advance(60)
    assert scene.calls.take() == ["a", "b"]
    scene.calls.answer("a", fail=True)
    assert over == []
    scene.calls.answer("b")
    assert over == [None]
    assert scene.clock.getDelayedCalls() == []


def test_a_registration_under_way_is_not_repeated_after_the_stop() -> None:
    scene = Scene("a")
    scene.registrar.start()
    scene.registrar.changed()
    scene.registrar.stop()
    scene.calls.answer("a")
    scene.clock.advance(1)
    assert [type(header) for _, header, _, _ in scene.calls.made] == [UnregisterBroker]


def test_ordered_topics_that_a_name_server_knows_are_told() -> None:
    scene = Scene("a", "b", "c")
    over: list[Any] = []
    scene.registrar.start().addCallback(over.append)
    scene.calls.answer("a", body=b'{"table":{"T":"broker-a:4","U":"broker-a:8;broker-b:8"}}')
    scene.calls.answer("b")
    scene.calls.answer("c", body=b"[1]")
    assert scene.ordered == [["T", "U"]]
    assert over == [None]


MASTER = {"masterAddr": "10.0.0.1:10911", "haServerAddr": "10.0.0.1:10912"}
WHERE = ("10.0.0.1:10911", "10.0.0.1:10912")
OTHER = ("10.0.0.9:10911", "10.0.0.9:10912")


def slave_round(scene: Scene, **answers: dict[str, str] | None) -> None:
    """Every name server answers a round with these fields, or fails."""
    scene.clock.advance(30)
    for address in scene.calls.take():
        scene.calls.answer(address, fail=answers[address] is None, ext=answers[address])


def test_a_slave_is_told_where_its_master_is() -> None:
    scene = Scene("a", broker_id=1)
    scene.registrar.start()
    scene.calls.answer("a", ext=MASTER)
    assert scene.masters == [WHERE]
    slave_round(scene, a=MASTER)
    assert scene.masters == [WHERE]
    slave_round(scene, a={"masterAddr": OTHER[0], "haServerAddr": OTHER[1]})
    slave_round(scene, a={"haServerAddr": ""})
    slave_round(scene, a=MASTER)
    assert scene.masters == [WHERE, OTHER, (None, None), WHERE]


def test_a_master_is_told_nothing_of_a_master() -> None:
    scene = Scene("a")
    scene.registrar.start()
    scene.calls.answer("a", ext=MASTER)
    assert scene.masters == []


def test_a_name_server_that_knows_the_master_outdoes_those_that_do_not() -> None:
    scene = Scene("a", "b", broker_id=1)
    scene.registrar.start()
    scene.calls.answer("a", ext={})
    assert scene.masters == []
    scene.calls.answer("b", ext=MASTER)
    assert scene.masters == [WHERE]
    slave_round(scene, a={}, b=MASTER)
    assert scene.masters == [WHERE]
    # When nobody answers, nothing is new.
    slave_round(scene, a=None, b=None)
    assert scene.masters == [WHERE]
    slave_round(scene, a={}, b=None)
    assert scene.masters == [WHERE, (None, None)]


def test_a_name_server_that_was_taken_away_has_no_say() -> None:
    scene = Scene("a", "b", broker_id=1)
    scene.registrar.start()
    scene.calls.answer("b", ext=MASTER)
    scene.calls.answer("a", ext={})
    scene.servers.remove("b")
    slave_round(scene, a={})
    assert scene.masters == [WHERE, (None, None)]


def test_nobody_is_their_own_master() -> None:
    scene = Scene("a", broker_id=1)
    scene.registrar.start()
    scene.calls.answer("a", ext={"masterAddr": "1.2.3.4:10911", "haServerAddr": "1.2.3.4:10912"})
    assert scene.masters == []


def test_after_the_end_no_master_matters() -> None:
    scene = Scene("a", broker_id=1)
    scene.registrar.start()
    scene.registrar.stop()
    scene.calls.answer("a", ext=MASTER)
    assert scene.masters == []


def test_a_hurry() -> None:
    scene = Scene("a")
    scene.registrar.hurry(3)
    scene.registrar.start()
    scene.calls.answer("a")
    for _ in range(3):
        scene.clock.advance(3)
        scene.calls.answer("a")
    scene.registrar.hurry(100)
    scene.registrar.hurry(None)
    scene.clock.advance(29)
    assert scene.calls.take() == []
    scene.clock.advance(1)
    scene.calls.answer("a")
    scene.registrar.hurry(3)
    scene.registrar.hurry(3)
    scene.clock.advance(3)
    assert scene.calls.take() == ["a"]
    scene.registrar.stop()
    scene.registrar.hurry(None)
    assert scene.clock.getDelayedCalls() == []


def restarted(scene: Scene, address: str, seconds: float) -> None:
    """A name server goes, is away for so long, and is there again."""
    scene.calls.down.add(address)
    scene.calls.cut(address)
    scene.clock.pump([0.05] * round(seconds / 0.05))
    scene.calls.down.remove(address)


def test_a_name_server_that_was_restarted_is_told_everything_within_a_second_of_its_return() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.clock.advance(12)
    restarted(scene, "a", 12)
    assert scene.calls.take() == []
    scene.clock.pump([0.05] * 20)
    assert scene.carried() == [("a", ["T"])]
    scene.calls.answer("a")
    scene.clock.advance(2)
    assert scene.carried() == []
    scene.registrar.changed(["T"])
    assert scene.carried() == [("a", ["T"]), ("b", ["T"])]


def test_one_that_is_gone_is_tried_at_once_and_then_each_second() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.clock.advance(12)
    scene.calls.attempts.clear()
    scene.calls.down.add("a")
    scene.calls.cut("a")
    at: list[float] = []
    for _ in range(240):
        scene.clock.advance(0.05)
        if scene.calls.attempts:
            assert scene.calls.attempts == ["a"]
            at.append(round(scene.clock.seconds() - 12, 2))
            scene.calls.attempts.clear()
    assert at == [0.05, 0.15, 0.35, 0.75, 1.55, *[round(2.55 + second, 2) for second in range(10)]]
    assert scene.calls.take() == []


def test_one_that_is_not_there_when_the_broker_starts_is_told_when_it_comes() -> None:
    scene = Scene("a", "b")
    over: list[Any] = []
    scene.registrar.start().addCallback(over.append)
    scene.calls.down.add("a")
    scene.calls.answer("a", error=ConnectFailedError("a", "refused"))
    scene.calls.answer("b")
    assert over == [None]
    scene.clock.pump([0.05] * 40)
    scene.calls.down.remove("a")
    scene.clock.pump([0.05] * 20)
    assert scene.carried() == [("a", ["T"])]


def test_one_that_takes_registrations_and_leaves_is_not_flooded() -> None:
    scene = Scene("a")
    scene.up()
    scene.calls.cut("a")
    told = 0
    for _ in range(400):
        scene.clock.advance(0.05)
        if scene.calls.take():
            told += 1
            scene.calls.answer("a")
            scene.calls.cut("a")
    assert 18 <= told <= 24


def test_a_round_that_comes_first_leaves_nothing_to_try() -> None:
    scene = Scene("a")
    scene.up()
    scene.calls.cut("a")
    scene.registrar.changed()
    assert scene.calls.take() == ["a"]
    scene.calls.answer("a")
    scene.clock.pump([0.05] * 40)
    assert scene.calls.take() == []


def test_one_that_does_not_answer_or_sends_garbage_waits_for_the_next_round() -> None:
    for error in (CallTimeoutError("a", 24), UnreadableAnswerError("a")):
        scene = Scene("a")
        scene.registrar.start()
        scene.calls.answer("a", error=error)
        scene.clock.pump([0.5] * 58)
        assert (scene.calls.take(), scene.calls.attempts) == ([], [])


def test_nobody_waits_for_one_whose_connection_has_ended() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.calls.down.add("a")
    scene.calls.cut("a")
    scene.registrar.changed(["T"])
    assert scene.calls.take() == ["b"]
    over = scene.waiting()
    scene.calls.answer("b")
    assert over == [None]


def test_one_that_was_taken_out_or_a_stop_ends_the_trying() -> None:
    scene = Scene("a", "b")
    scene.up()
    scene.calls.attempts.clear()
    scene.servers.remove("a")
    scene.calls.cut("a")
    scene.calls.down.add("b")
    scene.calls.cut("b")
    scene.clock.advance(0.05)
    assert scene.calls.attempts == ["b"]
    scene.registrar.stop()
    assert scene.clock.getDelayedCalls() == []


def test_a_slave_that_starts_before_its_master_asks_again_soon_and_not_for_ever() -> None:
    scene = Scene("a", broker_id=1)
    scene.registrar.start()
    for pause in (0.1, 0.2):
        scene.calls.answer("a", ext={})
        scene.clock.advance(pause - 0.01)
        assert scene.calls.take() == []
        scene.clock.advance(0.01)
    scene.calls.answer("a", ext=MASTER)
    assert scene.masters == [WHERE]
    scene.clock.advance(20)
    assert scene.calls.take() == []

    alone = Scene("a", broker_id=1)
    alone.registrar.start()
    for _ in range(5):
        alone.calls.answer("a", ext={})
        alone.clock.advance(1)
    assert alone.calls.take() == []
    stopped = Scene("a", broker_id=1)
    stopped.registrar.start()
    stopped.calls.answer("a", ext={})
    stopped.registrar.stop()
    assert stopped.clock.getDelayedCalls() == []
