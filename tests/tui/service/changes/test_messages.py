"""Sending as a value: its title, and the mqadmin command where there is one."""

import pytest

from rmq.tui.service.changes.messages import SendMessage, is_reserved


def test_titles() -> None:
    assert SendMessage("Orders", b"x").title == "send to Orders, 1 byte"
    assert SendMessage("Orders", b"x" * 2000, origin="AB").title == "send to Orders again (was AB), 2,000 bytes"


def test_commands() -> None:
    assert SendMessage("Orders", b"a b").command == ("sendMessage", "-t", "Orders", "-p", "a b")
    whole = SendMessage("Orders", "ü".encode(), "T", "k", (), "broker-a", 3)
    assert whole.command == (
        *("sendMessage", "-t", "Orders", "-p", "ü", "-c", "T", "-k", "k"),
        *("-b", "broker-a", "-i", "3"),
    )


@pytest.mark.parametrize(
    "change",
    [
        SendMessage("Orders", b""),
        SendMessage("Orders", b"\xff"),
        SendMessage("Orders", b"a\nb"),
        SendMessage("Orders", b"a", properties=(("a", "1"),)),
        SendMessage("Orders", b"a", delay=1000),
    ],
)
def test_what_mqadmin_cannot_send(change: SendMessage) -> None:
    assert change.command == ()


def test_names_that_rocketmq_has_taken() -> None:
    assert [is_reserved(name) for name in ("UNIQ_KEY", "KEYS", "DLQ_ORIGIN_TOPIC", "colour", "keys")] == [
        True, True, True, False, False,
    ]  # fmt: skip
