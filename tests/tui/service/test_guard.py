"""Changes that are refused, and changes that are written down."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.service.changes.brokers import ChangeBrokerSettings
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview, Risk
from rmq.tui.service.changes.places import Place
from rmq.tui.service.guard import guarded
from rmq.tui.service.model import Problem
from rmq.tui.service.ops import OpsLog
from rmq.tui.service.protocol import AdminService
from tests.kit.tui_service import DEAD, NOW, FakeService

MOVED = Preview(("QUEUE",), (("broker-a/0",),), ("1 queue",), ("it is online",))


@dataclass(frozen=True, slots=True)
class Enrol(Change):
    """A change with a password."""

    risk: ClassVar[Risk] = Risk.LOW
    password: str = "hunter'2"

    @property
    def title(self) -> str:
        return f"enrol alice:{self.password}"

    @property
    def target(self) -> str:
        return "alice"

    @property
    def command(self) -> tuple[str, ...]:
        return ("createUser", "-u", "alice", "-p", self.password)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.password,)


def guard(
    mode: Mode = Mode.CONFIRM, append: Callable[[str], None] | None = None
) -> tuple[AdminService, FakeService, OpsLog]:
    fake = FakeService()
    log = OpsLog(append or fake.audit.append, "ops.jsonl")
    return guarded(fake, Context("prod", mode=mode), log, fake.now), fake, log


def test_read_only() -> None:
    service, fake, log = guard(Mode.READ_ONLY)
    refused = asyncio.run(service.change(Enrol(), lambda item: None))
    assert refused == Problem("the context prod is read-only", remedy="use a context in which changes are allowed")
    assert (fake.changed, fake.audit, list(log.operations)) == ([], [], [])


def test_questions_go_through() -> None:
    service, fake, _ = guard(Mode.READ_ONLY)
    assert service.address == fake.address
    assert asyncio.run(service.group_names()) == asyncio.run(fake.group_names())


def test_a_change_is_one_line_without_secrets() -> None:
    service, fake, log = guard()
    fake.previews[Enrol] = MOVED
    fake.outcomes[Enrol] = Outcome(True, "done with hunter'2", (Item("a", True, "hunter'2 set"),), ("alice:hunter'2",))
    told: list[Item] = []

    async def run() -> Any:
        await service.preview(Enrol())
        return await service.change(Enrol(), told.append)

    assert asyncio.run(run()) == Outcome(True, "done with ******", (Item("a", True, "****** set"),), ("alice:******",))
    assert told == [Item("a", True, "****** set")]
    assert fake.changed == [Enrol()]
    assert [json.loads(line) for line in fake.audit] == [
        {
            "time": "2026-11-21T14:02:00.000Z",
            "ended": "2026-11-21T14:02:00.000Z",
            "context": "prod",
            "namesrv": "10.0.0.9:9876;10.0.0.10:9876",
            "change": "enrol alice:******",
            "target": "alice",
            "risk": "low",
            "commands": ["mqadmin createUser -n '10.0.0.9:9876;10.0.0.10:9876' -u alice -p '******'"],
            "ok": True,
            "result": "done with ******",
            "items": [{"name": "a", "ok": True, "text": "****** set"}],
            "read_back": ["alice:******"],
            "dry_run": {"notes": ["1 queue"], "warnings": ["it is online"]},
        }
    ]
    (operation,) = log.operations
    assert (operation.state, operation.dry_run, operation.result) == ("ok", "1 queue", "done with ******")


def test_commands_that_only_the_preview_knows() -> None:
    service, fake, log = guard()
    fake.previews[Enrol] = Preview(notes=("1 user",), commands=(("updateUser", "-u", "bob"), ("getUser", "-u", "bob")))

    async def run() -> None:
        await service.preview(Enrol())
        await service.change(Enrol(), lambda item: None)

    asyncio.run(run())
    assert log.operations[0].commands == (
        "mqadmin updateUser -n '10.0.0.9:9876;10.0.0.10:9876' -u bob",
        "mqadmin getUser -n '10.0.0.9:9876;10.0.0.10:9876' -u bob",
    )


def test_a_change_that_fails() -> None:
    service, fake, log = guard()
    fake.problems["change"] = DEAD
    assert asyncio.run(service.change(Enrol(), lambda item: None)) == DEAD
    record = json.loads(fake.audit[0])
    assert (record["ok"], record["result"]) == (False, "10.0.0.3:10911: cannot connect: Connection refused")
    assert "dry_run" not in record
    assert log.operations[0].state == "failed"


def test_a_change_that_is_given_up() -> None:
    service, fake, log = guard()

    async def run() -> None:
        fake.held["change"] = asyncio.Event()
        task = asyncio.ensure_future(service.change(Enrol(), lambda item: None))
        await asyncio.sleep(0)
        assert [one.title for one in log.running] == ["enrol alice:******"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert json.loads(fake.audit[0])["result"] == "given up: rmq tui was ended while it ran"
    assert log.running == []


def test_a_fault_of_ours() -> None:
    service, fake, log = guard()
    fake.outcomes[Enrol] = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        asyncio.run(service.change(Enrol(), lambda item: None))
    assert log.operations[0].result == "a fault of rmq tui: AttributeError"


def test_a_file_that_cannot_be_written_keeps_nobody() -> None:
    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    service, _, log = guard(append=full)
    assert isinstance(asyncio.run(service.change(Enrol(), lambda item: None)), Outcome)
    assert log.trouble == "ops.jsonl cannot be written: No space left on device"
    assert log.operations[0].ended == NOW


def test_settings_that_are_secrets() -> None:
    service, fake, _ = guard()
    values = (("initAuthenticationUser", '{"username":"a"}'), ("traceOn", "true"))
    asyncio.run(service.change(ChangeBrokerSettings(Place(broker="b:1"), values), lambda item: None))
    record = json.loads(fake.audit[0])
    assert record["change"] == "set initAuthenticationUser=******, traceOn=true on b:1"
    assert [line.partition(" -k ")[2] for line in record["commands"]] == [
        "initAuthenticationUser -v '******'",
        "traceOn -v true",
    ]


def test_many_parts_are_not_all_written() -> None:
    service, fake, _ = guard()
    fake.outcomes[Enrol] = Outcome(True, "done", tuple(Item(str(number), True) for number in range(1002)))
    asyncio.run(service.change(Enrol(), lambda item: None))
    record = json.loads(fake.audit[0])
    assert (len(record["items"]), record["items_left_out"]) == (1000, 2)
