"""A master in memory: answers what a slave asks about its log, from a store."""

from typing import Any

from rmq.remoting.calls import SUCCESS, Answer, accepted
from rmq.server.store.store import MessageStore
from rmq.settings.dump import body
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.broker import KVTable
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerRuntimeInfo
from rmq.wire.requests.message import ViewMessageById

MASTER = "10.0.0.1:10911"


def small_settings(**values: Any) -> BrokerSettings:
    """Settings for the stores of `tests.kit.stores`, with more by key."""
    settings = BrokerSettings()
    for key, value in {"brokerName": "broker-a", "mappedFileSizeCommitLog": 64 * 1024, **values}.items():
        settings.set(key, value)
    settings.settle("10.0.0.1")
    return settings


class AnsweringMaster:
    """An `Invoker` that knows one master.

    Attributes:
        asked: offsets at which records were asked for.
        lies: answers by offset instead of the truth; an exception is raised.
        minimum: answered as the log's beginning.
        on_ask: called with each offset before it is answered.
    """

    def __init__(self, store: MessageStore, settings: BrokerSettings | None = None) -> None:
        self.store = store
        self.settings = settings or small_settings()
        self.asked: list[int] = []
        self.lies: dict[int, bytes | Exception] = {}
        self.minimum: int | None = None
        self.on_ask: Any = None
        self.refuses: Exception | None = None

    async def call(
        self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0, accept: frozenset[int] = SUCCESS
    ) -> Answer:
        """See `rmq.remoting.calls.Invoker`."""
        if self.refuses is not None:
            raise self.refuses
        found = self._answer(header)
        code = ResponseCode.SUCCESS if found is not None else ResponseCode.SYSTEM_ERROR
        return accepted(header, Command(code, {}, found or b""), address, accept)

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        """See `rmq.remoting.calls.Invoker`."""
        raise NotImplementedError

    def _answer(self, header: Any) -> bytes | None:
        if isinstance(header, GetBrokerConfig):
            return body(self.settings)
        if isinstance(header, GetBrokerRuntimeInfo):
            minimum = self.store.log_min_offset if self.minimum is None else self.minimum
            maximum = self.store.log_max_offset
            return encode_body(KVTable({"commitLogMinOffset": str(minimum), "commitLogMaxOffset": str(maximum)}))
        assert isinstance(header, ViewMessageById), header
        self.asked.append(header.offset)
        if self.on_ask is not None:
            self.on_ask(header.offset)
        answer = self.lies.get(header.offset)
        if isinstance(answer, Exception):
            raise answer
        return answer if answer is not None else self.store.message_at(header.offset)
