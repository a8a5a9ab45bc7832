"""Setting whether groups pull or pop."""

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.assignment import SetMessageRequestMode
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, report, text

WORDS = ("setConsumeMode", "-t", "T", "-g", "G", "-m", "POP")


def test_on_every_master_of_a_cluster() -> None:
    servers = FakeServers()
    made = report(servers, *WORDS, "-c", "C1", "-q", "3")
    assert made.render("text") == (
        f"set consume mode to {MASTER_A} success.\nset consume mode to {MASTER_B} success.\n"
        "topic[T] group[G] consume mode[POP] popShareQueueNum[3]"
    )
    assert made.members == {
        "topic": "T", "group": "G", "mode": "POP", "popShareQueueNum": 3, "brokers": [MASTER_A, MASTER_B],
    }  # fmt: skip
    sent = [call for call in servers.calls if isinstance(call[1], SetMessageRequestMode)]
    wanted = MessageRequestModeBody("T", "G", MessageRequestMode.POP, 3)
    assert [(address, body) for address, _, body in sent] == [(MASTER_A, wanted), (MASTER_B, wanted)]


def test_on_one_broker() -> None:
    assert text(FakeServers(), "setConsumeMode", "-t", "T", "-g", "G", "-m", "PULL", "-b", MASTER_A) == (
        f"set consume mode to {MASTER_A} success.\ntopic[T] group[G] consume mode[PULL] popShareQueueNum[0]"
    )


def test_a_broker_that_refuses() -> None:
    def answer(address: str, header: SetMessageRequestMode) -> object:
        return SystemBusyError("busy") if address == MASTER_A else b""

    made = report(FakeServers({SetMessageRequestMode: answer}), *WORDS, "-c", "C1")
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert made.members["brokers"] == [MASTER_B]
    with pytest.raises(SystemBusyError):
        text(FakeServers({SetMessageRequestMode: answer}), *WORDS, "-b", MASTER_A)


def test_another_mode() -> None:
    with pytest.raises(CommandLineError, match="the mode is PULL or POP, not PUSH"):
        text(FakeServers(), "setConsumeMode", "-t", "T", "-g", "G", "-m", "PUSH", "-b", MASTER_A)
