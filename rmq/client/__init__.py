"""A RocketMQ client in pure Python, on Twisted; `rmq.client.aio` is the same for asyncio.

Names are loaded when first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmq.client.compression import Compression
    from rmq.client.config import ClientConfig, LitePullConfig, ProducerConfig, PushConfig, TransactionConfig
    from rmq.client.consume import ConsumeContext, ConsumeStatus, Listener
    from rmq.client.errors import (
        ClientError,
        IllegalMessageError,
        NoRequestError,
        NoRouteError,
        NotRunningError,
        RequestTimeoutError,
        SendFailedError,
    )
    from rmq.client.instance import ClientInstance
    from rmq.client.lite_pull import LitePullConsumer
    from rmq.client.message import Message, MessageExt
    from rmq.client.orderly import OrderlyContext, OrderlyListener, OrderlyStatus
    from rmq.client.orderly_push import OrderlyPushConsumer
    from rmq.client.outgoing import split_batches
    from rmq.client.producer import Producer
    from rmq.client.push import PushConsumer
    from rmq.client.request_reply import reply_to
    from rmq.client.results import SendResult, SendStatus
    from rmq.client.selectors import QueueSelector, select_by_hash, select_by_random
    from rmq.client.transaction import TransactionProducer, TransactionResult, TransactionState
    from rmq.remoting.errors import TransportError
    from rmq.wire.bodies.heartbeat import ConsumeFromWhere, MessageModel
    from rmq.wire.bodies.route import MessageQueue
    from rmq.wire.errors import RemotingError
    from rmq.wire.signing import Credentials
    from rmq.wire.subscription import SQL92, TAG

_HOMES = {
    "rmq.client.compression": ("Compression",),
    "rmq.client.config": ("ClientConfig", "LitePullConfig", "ProducerConfig", "PushConfig", "TransactionConfig"),
    "rmq.client.consume": ("ConsumeContext", "ConsumeStatus", "Listener"),
    "rmq.client.errors": (
        "ClientError",
        "IllegalMessageError",
        "NoRequestError",
        "NoRouteError",
        "NotRunningError",
        "RequestTimeoutError",
        "SendFailedError",
    ),
    "rmq.client.instance": ("ClientInstance",),
    "rmq.client.lite_pull": ("LitePullConsumer",),
    "rmq.client.message": ("Message", "MessageExt"),
    "rmq.client.orderly": ("OrderlyContext", "OrderlyListener", "OrderlyStatus"),
    "rmq.client.orderly_push": ("OrderlyPushConsumer",),
    "rmq.client.outgoing": ("split_batches",),
    "rmq.client.producer": ("Producer",),
    "rmq.client.push": ("PushConsumer",),
    "rmq.client.request_reply": ("reply_to",),
    "rmq.client.results": ("SendResult", "SendStatus"),
    "rmq.client.selectors": ("QueueSelector", "select_by_hash", "select_by_random"),
    "rmq.client.transaction": ("TransactionProducer", "TransactionResult", "TransactionState"),
    "rmq.remoting.errors": ("TransportError",),
    "rmq.wire.bodies.heartbeat": ("ConsumeFromWhere", "MessageModel"),
    "rmq.wire.bodies.route": ("MessageQueue",),
    "rmq.wire.errors": ("RemotingError",),
    "rmq.wire.signing": ("Credentials",),
    "rmq.wire.subscription": ("SQL92", "TAG"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "SQL92",
    "TAG",
    "ClientConfig",
    "ClientError",
    "ClientInstance",
    "Compression",
    "ConsumeContext",
    "ConsumeFromWhere",
    "ConsumeStatus",
    "Credentials",
    "IllegalMessageError",
    "Listener",
    "LitePullConfig",
    "LitePullConsumer",
    "Message",
    "MessageExt",
    "MessageModel",
    "MessageQueue",
    "NoRequestError",
    "NoRouteError",
    "NotRunningError",
    "OrderlyContext",
    "OrderlyListener",
    "OrderlyPushConsumer",
    "OrderlyStatus",
    "Producer",
    "ProducerConfig",
    "PushConfig",
    "PushConsumer",
    "QueueSelector",
    "RemotingError",
    "RequestTimeoutError",
    "SendFailedError",
    "SendResult",
    "SendStatus",
    "TransactionConfig",
    "TransactionProducer",
    "TransactionResult",
    "TransactionState",
    "TransportError",
    "reply_to",
    "select_by_hash",
    "select_by_random",
    "split_batches",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value
