"""What a delay makes of a message on its way into the store.

A delay level sends it to that level's queue of SCHEDULE_TOPIC_XXXX. A delay in seconds or milliseconds, or a point in
time, sends it to the timer's topic, with the slot that it belongs to in TIMER_OUT_MS: slots are as long as the timer's
precision, and a message leaves its slot when that ends, never early. A level outdoes a time. Where the message is meant
to go stands in REAL_TOPIC and REAL_QID meanwhile. A time that is over delays nothing.

Source: HookUtils.handleScheduleMessage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import random
from typing import Final

from rmq.server.broker.putting import MessageInner
from rmq.settings.model import BrokerSettings
from rmq.wire.errors import MessageIllegalError, RemotingError
from rmq.wire.message import PROPERTY_DELAY, PROPERTY_REAL_QUEUE_ID, PROPERTY_REAL_TOPIC, TIMER_PROPERTIES
from rmq.wire.names import SCHEDULE_TOPIC, TIMER_TOPIC
from rmq.wire.sysflag import NOT_DISPATCHED, TRANSACTION_MASK

TIMER_OUT_MS: Final = "TIMER_OUT_MS"
TIMER_DELETE: Final = "TIMER_DEL_UNIQKEY"

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_INT_MAX: Final = 2**31 - 1


class DelayHook:
    """A `PutHook` that makes messages wait.

    Args:
        settings: the timer's limits.
        levels: milliseconds of each level, level 1 first.
        now: milliseconds since the epoch.
        waiting: how many messages wait in the slot of a time.
        chance: a number from 0 to 1.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        levels: Sequence[int],
        now: Callable[[], int],
        waiting: Callable[[int], int],
        chance: Callable[[], float] = random,
    ) -> None:
        self._store = settings.store
        self._levels = levels
        self._now = now
        self._waiting = waiting
        self._chance = chance

    def __call__(self, message: MessageInner) -> None:
        """See the module.

        Raises:
            MessageIllegalError: the time is no number, or too far away.
            RemotingError: the level is no number, the timer is off, or its slot is full.
        """
        if message.sys_flag & TRANSACTION_MASK in NOT_DISPATCHED:
            return
        properties = message.properties
        level = _level(properties.get(PROPERTY_DELAY))
        if message.topic != TIMER_TOPIC:
            if level > 0:
                for name in TIMER_PROPERTIES:
                    properties.pop(name, None)
            elif TIMER_OUT_MS not in properties and not properties.keys().isdisjoint(TIMER_PROPERTIES):
                self._set_time(message)
        if level > 0:
            level = min(level, len(self._levels))
            properties[PROPERTY_DELAY] = str(level)
            message.tags_code = self._now() + self._levels[level - 1]
            _set_aside(message, SCHEDULE_TOPIC, level - 1)

    def _set_time(self, message: MessageInner) -> None:
        store = self._store
        if not store.timer_wheel_enable:
            raise RemotingError("accurate timer message is not enabled, timerWheelEnable is false")
        properties = message.properties
        now = self._now()
        time = _time(properties, now)
        if time is None or time - now > store.timer_max_delay_sec * 1000:
            raise self._illegal()
        if time <= now:
            if TIMER_DELETE in properties:
                raise self._illegal()
            return
        slot = (time - 1) // store.timer_precision_ms * store.timer_precision_ms
        self._check_room(slot)
        properties[TIMER_OUT_MS] = str(slot)
        _set_aside(message, TIMER_TOPIC, 0)

    def _illegal(self) -> MessageIllegalError:
        return MessageIllegalError(
            "timer message illegal, the delay time should not be bigger than the max delay "
            f"{self._store.timer_max_delay_sec * 1000}ms; or if set del msg, the delay time should be bigger than the "
            "current time"
        )

    def _check_room(self, slot: int) -> None:
        """Refuses more and more of what comes for a slot that fills beyond its limit, all of it at twice the limit."""
        limit = self._store.timer_congest_num_each_slot
        over = self._waiting(slot) - limit
        if over > 0 and (over >= limit or self._chance() < over / limit):
            raise RemotingError(
                f"timer message is under flow control, max num limit is {limit * 2} or the current value is greater "
                f"than {limit} and less than {limit * 2}, trigger random flow control"
            )


def _set_aside(message: MessageInner, topic: str, queue_id: int) -> None:
    message.properties[PROPERTY_REAL_TOPIC] = message.topic
    message.properties[PROPERTY_REAL_QUEUE_ID] = str(message.queue_id)
    message.topic = topic
    message.queue_id = queue_id


def _level(text: str | None) -> int:
    if text is None:
        return 0
    level = int(text) if _NUMBER.fullmatch(text) else None
    if level is None or not -_INT_MAX - 1 <= level <= _INT_MAX:
        raise RemotingError(f'java.lang.NumberFormatException: For input string: "{text}"')
    return level


def _time(properties: dict[str, str], now: int) -> int | None:
    """When a message is to be delivered (ms), None when that is no number."""
    for name, unit in zip(TIMER_PROPERTIES, (1000, 1, 0), strict=True):
        text = properties.get(name)
        if text is not None:
            if not _NUMBER.fullmatch(text):
                return None
            return now + int(text) * unit if unit else int(text)
    return None
