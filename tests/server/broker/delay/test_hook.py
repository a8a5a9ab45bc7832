"""What a delay makes of a message, and what is refused."""

import pytest

from rmq.server.broker.delay.hook import DelayHook
from rmq.server.broker.putting import MessageInner
from rmq.wire.errors import MessageIllegalError, RemotingError
from rmq.wire.sysflag import TRANSACTION_COMMIT, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK
from tests.kit.broker import settings_of

NOW = 1_700_000_000_500
LEVELS = [1000, 5000, 7_200_000]


def hook(waiting: int = 0, chance: float = 0.5, **settings: object) -> DelayHook:
    return DelayHook(settings_of(**settings), LEVELS, lambda: NOW, lambda time: waiting, lambda: chance)


def message(topic: str = "T", sys_flag: int = 0, **properties: str) -> MessageInner:
    return MessageInner(topic, 3, b"body", {"KEYS": "k", **properties}, 0, sys_flag, NOW, b"")


def after(given: DelayHook | None = None, **properties: str) -> tuple[str, int, dict[str, str], int | None]:
    inner = message(**properties)
    (given or hook())(inner)
    return inner.topic, inner.queue_id, inner.properties, inner.tags_code


@pytest.mark.parametrize(("level", "stored", "queue"), [("1", "1", 0), ("2", "2", 1), ("3", "3", 2), ("18", "3", 2)])
def test_a_level_leads_to_its_queue_and_never_beyond_the_last(level: str, stored: str, queue: int) -> None:
    properties = {"KEYS": "k", "DELAY": stored, "REAL_TOPIC": "T", "REAL_QID": "3"}
    assert after(DELAY=level) == ("SCHEDULE_TOPIC_XXXX", queue, properties, NOW + LEVELS[queue])


@pytest.mark.parametrize("level", ["0", "-1", "+0"])
def test_no_level_is_no_delay(level: str) -> None:
    assert after(DELAY=level) == ("T", 3, {"KEYS": "k", "DELAY": level}, None)


@pytest.mark.parametrize("level", ["x", "", "1.5", "٣", "2147483648", "9" * 40])
def test_a_level_that_is_no_number(level: str) -> None:
    with pytest.raises(RemotingError) as caught:
        after(DELAY=level)
    assert (caught.value.code, caught.value.remark) == (
        1,
        f'java.lang.NumberFormatException: For input string: "{level}"',
    )


@pytest.mark.parametrize(
    ("properties", "slot"),
    [
        ({"TIMER_DELAY_MS": "1500"}, 1_700_000_001_000),
        ({"TIMER_DELAY_MS": "1499"}, 1_700_000_001_000),
        ({"TIMER_DELAY_MS": "1501"}, 1_700_000_002_000),
        ({"TIMER_DELAY_MS": "1"}, 1_700_000_000_000),
        ({"TIMER_DELAY_SEC": "2"}, 1_700_000_002_000),
        ({"TIMER_DELIVER_MS": str(NOW + 1)}, 1_700_000_000_000),
        ({"TIMER_DELIVER_MS": "1700000002000"}, 1_700_000_001_000),
        ({"TIMER_DELAY_SEC": "259200"}, 1_700_259_200_000),
        ({"TIMER_DELAY_SEC": "3", "TIMER_DELAY_MS": "1", "TIMER_DELIVER_MS": "1"}, 1_700_000_003_000),
        ({"TIMER_DELAY_MS": "4000", "TIMER_DELIVER_MS": "1"}, 1_700_000_004_000),
    ],
)
def test_a_time_leads_to_the_slot_that_ends_at_it_or_next_after_it(properties: dict[str, str], slot: int) -> None:
    wanted = {"KEYS": "k", **properties, "TIMER_OUT_MS": str(slot), "REAL_TOPIC": "T", "REAL_QID": "3"}
    assert after(**properties) == ("rmq_sys_wheel_timer", 0, wanted, None)


def test_slots_are_as_long_as_the_precision() -> None:
    assert after(hook(timerPrecisionMs=100), TIMER_DELAY_MS="150")[2]["TIMER_OUT_MS"] == "1700000000600"


@pytest.mark.parametrize(
    "properties",
    [{"TIMER_DELAY_MS": "0"}, {"TIMER_DELAY_MS": "-5"}, {"TIMER_DELAY_SEC": "-1"}, {"TIMER_DELIVER_MS": str(NOW)}],
)
def test_a_time_that_is_over_delays_nothing(properties: dict[str, str]) -> None:
    assert after(**properties) == ("T", 3, {"KEYS": "k", **properties}, None)


def test_a_level_outdoes_a_time() -> None:
    topic, queue, properties, _ = after(DELAY="1", TIMER_DELAY_MS="5", TIMER_DELAY_SEC="5", TIMER_DELIVER_MS="5")
    assert (topic, queue) == ("SCHEDULE_TOPIC_XXXX", 0)
    assert properties == {"KEYS": "k", "DELAY": "1", "REAL_TOPIC": "T", "REAL_QID": "3"}


def test_what_was_timed_before_is_not_timed_again() -> None:
    assert after(TIMER_OUT_MS="1", TIMER_DELAY_MS="5000")[0] == "T"
    inner = message("rmq_sys_wheel_timer", TIMER_DELAY_MS="5000")
    hook()(inner)
    assert (inner.topic, inner.queue_id) == ("rmq_sys_wheel_timer", 3)


@pytest.mark.parametrize(("kind", "waits"), [(TRANSACTION_PREPARED, False), (TRANSACTION_ROLLBACK, False),
                                             (TRANSACTION_COMMIT, True)])  # fmt: skip
def test_transactions(kind: int, waits: bool) -> None:
    inner = message(sys_flag=kind, DELAY="1")
    hook()(inner)
    assert (inner.topic == "SCHEDULE_TOPIC_XXXX") is waits


ILLEGAL = (
    "timer message illegal, the delay time should not be bigger than the max delay 259200000ms; or if set del msg, "
    "the delay time should be bigger than the current time"
)


@pytest.mark.parametrize(
    "properties",
    [
        {"TIMER_DELAY_MS": "abc"},
        {"TIMER_DELAY_MS": ""},
        {"TIMER_DELAY_SEC": "1 "},
        {"TIMER_DELIVER_MS": "9" * 30},
        {"TIMER_DELAY_SEC": "259201"},
        {"TIMER_DELAY_MS": "259200001"},
        {"TIMER_DELIVER_MS": str(NOW + 259_200_001)},
        {"TIMER_DELIVER_MS": str(NOW), "TIMER_DEL_UNIQKEY": "U"},
    ],
)
def test_illegal_times(properties: dict[str, str]) -> None:
    with pytest.raises(MessageIllegalError) as caught:
        after(**properties)
    assert (caught.value.code, caught.value.remark) == (13, ILLEGAL)


def test_without_a_timer() -> None:
    with pytest.raises(RemotingError) as caught:
        after(hook(timerWheelEnable="false"), TIMER_DELAY_MS="5000")
    assert (caught.value.code, caught.value.remark) == (
        1,
        "accurate timer message is not enabled, timerWheelEnable is false",
    )
    assert after(hook(timerWheelEnable="false"), DELAY="1")[0] == "SCHEDULE_TOPIC_XXXX"


@pytest.mark.parametrize(
    ("waiting", "chance", "refused"),
    [(10, 0.0, False), (11, 0.09, True), (11, 0.11, False), (19, 0.89, True), (19, 0.91, False), (20, 1.0, True)],
)
def test_a_slot_that_fills(waiting: int, chance: float, refused: bool) -> None:
    given = hook(waiting, chance, timerCongestNumEachSlot=10)
    if not refused:
        assert after(given, TIMER_DELAY_MS="5000")[0] == "rmq_sys_wheel_timer"
        return
    with pytest.raises(RemotingError) as caught:
        after(given, TIMER_DELAY_MS="5000")
    assert (caught.value.code, caught.value.remark) == (
        1,
        "timer message is under flow control, max num limit is 20 or the current value is greater than 10 and less "
        "than 20, trigger random flow control",
    )
