"""Running a command: dry runs, repetition, failures, advice."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rmq.admin import running
from rmq.admin.declare import Call, command, find
from rmq.admin.errors import CommandLineError
from rmq.admin.output import Report
from rmq.admin.parser import parse
from rmq.admin.running import Use, guarded, understood
from rmq.client.admin.dryrun import HoldingBack
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.topic import TopicList
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.requests.topic import DeleteTopicInBroker
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, FakeServers, fake_admin, route


def use(*words: str) -> Use | int:
    found = find(words[0])
    assert found is not None
    return understood(found, [*words[1:], "-n", NAMESRV])


def run(capsys: pytest.CaptureFixture[str], servers: FakeServers, *words: str) -> tuple[int, str, str]:
    """Exit code and both streams of a command line."""
    made = use(*words)
    code = made if isinstance(made, int) else asyncio.run(guarded(made, servers))
    return code, *capsys.readouterr()


# --- dry runs --------------------------------------------------------------------------------------------------------

DELETE = ("deleteTopic", "-t", "T", "-c", "C1", "--dry-run")


def test_a_dry_run_shows_what_would_be_sent(capsys: pytest.CaptureFixture[str]) -> None:
    servers = FakeServers()
    code, out, err = run(capsys, servers, *DELETE)
    assert (code, err) == (0, "")
    assert out == (
        f"would send DELETE_TOPIC_IN_BROKER to {MASTER_A} topic=T\n"
        f"would send DELETE_TOPIC_IN_BROKER to {MASTER_B} topic=T\n"
        f"would send DELETE_TOPIC_IN_NAMESRV to {NAMESRV} topic=T clusterName=C1\n"
    )
    assert servers.sent(DeleteTopicInBroker) == []


def test_a_dry_run_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, FakeServers(), *DELETE, "-f", "json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["dryRun"] is True
    assert found["changes"][0] == {
        "action": "send",
        "request": "DELETE_TOPIC_IN_BROKER",
        "code": 215,
        "address": MASTER_A,
        "path": "",
        "fields": {"topic": "T"},
        "body": None,
    }
    assert len(found["changes"]) == 3


def test_a_dry_run_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, FakeServers(), *DELETE, "--format", "csv")
    assert out.splitlines()[:2] == [
        "action,request,code,address,path,fields,body",
        f'send,DELETE_TOPIC_IN_BROKER,215,{MASTER_A},,"{{""topic"":""T""}}",',
    ]


def test_a_wrong_name_fails_in_a_dry_run_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, FakeServers(), "deleteTopic", "-t", "T", "-c", "nope", "--dry-run")
    assert (code, out) == (1, "would change nothing\n")
    assert err == "mqadmin deleteTopic: the cluster nope does not exist. There are these clusters: C1.\n"


def test_what_was_noted_before_a_failure_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("updateTopic", "-t", "T", "-b", "10.9.9.9:1", "-o", "true", "--dry-run")
    code, out, err = run(capsys, FakeServers(), *line)
    assert code == 1
    assert out.startswith("would send UPDATE_AND_CREATE_TOPIC to 10.9.9.9:1 topic=T ")
    assert err.startswith("mqadmin updateTopic: The broker[10.9.9.9:1] not exist. ")


def test_a_refusal_in_a_dry_run(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("sendMessage", "-t", "T", "-p", "x", "-i", "1", "--dry-run")
    code, out, err = run(capsys, FakeServers(), *line)
    assert (code, out) == (2, "Broker name must be set if the queue is chosen!")
    assert err == "mqadmin sendMessage: Broker name must be set if the queue is chosen!\n"


def test_a_message_is_not_sent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    servers = FakeServers()
    servers.routes["T"] = route()
    monkeypatch.setattr(running, "_choose", lambda count: 0)
    code, out, err = run(capsys, servers, "sendMessage", "-t", "T", "-p", "hello  world", "-c", "X", "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith(f"would send SEND_MESSAGE_V2 to {MASTER_A} producerGroup=")
    assert " properties=" in out
    assert "TAGS X " in out
    assert out.endswith(" body hello world\n")
    assert servers.sent(SendMessageV2) == []


def test_what_repeats_itself_is_rehearsed_once(capsys: pytest.CaptureFixture[str]) -> None:
    @command("repeatedChange", "Delete a topic again and again.", changes=True)
    async def made(call: Call) -> AsyncIterator[Report]:
        while True:
            yield Report()
            await call.admin.call(MASTER_A, DeleteTopicInBroker("T"))
            yield Report().fail(SystemBusyError("busy"))
            await call.admin.sleep(1)

    options = parse(made.accepted, ["--dry-run"], made.extras)
    code = asyncio.run(guarded(Use(made, options, (NAMESRV,), "text", None, None), FakeServers()))
    out, err = capsys.readouterr()
    assert (code, out) == (1, f"would send DELETE_TOPIC_IN_BROKER to {MASTER_A} topic=T\n")
    assert err.startswith("mqadmin repeatedChange: busy ")


def test_what_waits_on_its_way_is_rehearsed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    @command("waitingChange", "Wait, and delete a topic.", changes=True)
    async def made(call: Call) -> Report:
        await call.admin.sleep(3600)
        await call.admin.call(MASTER_A, DeleteTopicInBroker("T"))
        return Report()

    options = parse(made.accepted, ["--dry-run"], made.extras)
    code = asyncio.run(guarded(Use(made, options, (NAMESRV,), "text", None, None), FakeServers()))
    assert (code, capsys.readouterr().out.count("would send")) == (0, 1)


def test_only_commands_that_change_something_can_be_rehearsed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, FakeServers(), "topicList", "--dry-run")
    assert (code, err) == (2, "Unrecognized option: --dry-run\n")
    assert out.startswith("usage: mqadmin topicList ")


def test_files_are_noted_or_written(tmp_path: Any) -> None:
    options: Any = None
    admin, held = fake_admin(FakeServers()), HoldingBack(FakeServers())
    path = tmp_path / "new" / "deep" / "file.json"
    Call(options, admin, held).write_file(str(path), "{}")
    assert not path.parent.exists()
    assert [(change.action, change.path, change.body) for change in held.changes] == [("write", str(path), "{}")]
    Call(options, admin).write_file(str(path), "Grüße\n")
    assert path.read_bytes() == "Grüße\n".encode()
    Call(options, admin).write_file(str(path), b"\xff")
    assert path.read_bytes() == b"\xff"
    link = tmp_path / "link"
    link.symlink_to(path)
    for refused in (link, path / "below"):
        with pytest.raises(OSError) as caught:
            Call(options, admin).write_file(str(refused), "")
        assert str(path if refused != link else link) in str(caught.value.filename)
    assert path.read_bytes() == b"\xff"


# --- again and again -------------------------------------------------------------------------------------------------


class StopError(Exception):
    """Ends a repetition."""


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds slept; the third sleep ends the repetition."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise StopError("enough")

    monkeypatch.setattr(running, "_sleep", sleep)
    return slept


def test_watching(capsys: pytest.CaptureFixture[str], rounds: list[float]) -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["T"])})
    _, out, err = run(capsys, servers, "topicList", "--watch", "1.5")
    assert out == "T\n" * 3
    assert rounds == [1.5] * 3
    assert "StopError" in err


def test_watching_in_json_gives_a_line_each(capsys: pytest.CaptureFixture[str], rounds: list[float]) -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["T"])})
    _, out, _ = run(capsys, servers, "topicList", "--watch", "1", "-f", "json")
    assert out == '{"topics":["T"]}\n' * 3


def test_what_repeats_itself_anyway_takes_no_watch_and_gives_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, FakeServers(), "startMonitoring", "--watch", "1")
    assert (code, err) == (2, "Unrecognized option: --watch\n")
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList([])})
    code, out, _ = run(capsys, servers, "startMonitoring", "--rounds", "1", "-f", "json")
    assert (code, out.count("\n")) == (0, 1)
    assert list(json.loads(out)) == ["time", "undone", "notices", "deleted"]


def test_watching_goes_on_after_a_failure(capsys: pytest.CaptureFixture[str], rounds: list[float]) -> None:
    answers = iter([SystemBusyError("busy"), TopicList(["T"]), SystemBusyError("busy")])
    servers = FakeServers({GetAllTopicListFromNameserver: lambda address, header: next(answers)})
    _, out, err = run(capsys, servers, "topicList", "--watch", "1")
    assert out == "T\n"
    assert err.count("mqadmin topicList: busy (") == 2


def test_watching_on_a_terminal_clears_it(
    capsys: pytest.CaptureFixture[str], rounds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["T"])})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(running.time, "strftime", lambda form: "12:00:00")
    _, out, _ = run(capsys, servers, "topicList", "--watch", "2")
    assert out == "\x1b[H\x1b[2J\x1b[3JEvery 2 s: mqadmin topicList   12:00:00\n\nT\n" * 3


def test_apaches_interval_still_works(capsys: pytest.CaptureFixture[str], rounds: list[float]) -> None:
    servers = FakeServers({GetBrokerRuntimeInfo: KVTable({})})
    _, out, _ = run(capsys, servers, "clusterList", "-m", "-i", "7")
    assert out.count("#Cluster Name") == 3
    assert rounds == [7, 7, 7]


@pytest.mark.parametrize("text", ["0", "-1", "x", "nan", "86401"])
def test_wrong_seconds(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert run(capsys, FakeServers(), "topicList", f"--watch={text}") == (
        2,
        "",
        f"mqadmin topicList: watch {text}: seconds from above 0 to 86400 are expected\n",
    )


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandLineError("wrong"), 2, "wrong"),
        (SystemBusyError("busy"), 1, "busy (code 2 SYSTEM_BUSY). The server is behind; try again later."),
        (FileNotFoundError(2, "No such file", "/x"), 1, "No such file: /x"),
        (OSError("odd"), 1, "odd"),
        (
            KeyError("a\nb"),
            1,
            r"unexpected KeyError: 'a\nb'. This is a fault of mqadmin; --debug shows where.",
        ),
    ],
)
def test_every_failure_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, line: str
) -> None:
    servers = FakeServers()

    async def fail(*args: Any, **others: Any) -> Any:
        raise error

    monkeypatch.setattr(servers, "call", fail)
    assert run(capsys, servers, "topicList") == (code, "", f"mqadmin topicList: {line}\n")


def test_a_failure_without_a_table_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, FakeServers(), "brokerStatus", "-c", "nope", "-f", "csv")
    assert (code, out) == (1, "")
    assert err.startswith("mqadmin brokerStatus: the cluster nope does not exist. ")


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("--topik=T", "Unrecognized option: --topik=T. Did you mean --topic?"),
        ("--clustername", "Unrecognized option: --clustername. Did you mean --clusterName?"),
        ("-zz", "Unrecognized option: -zz"),
        ("--dryrun", "Unrecognized option: --dryrun. Did you mean --dry-run?"),
    ],
)
def test_an_unknown_option_is_answered_with_a_guess(capsys: pytest.CaptureFixture[str], word: str, advice: str) -> None:
    code, out, err = run(capsys, FakeServers(), "deleteTopic", word)
    assert (code, err) == (2, f"{advice}\n")
    assert out.startswith("usage: mqadmin deleteTopic ")


def test_progress_is_shown_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList([f"T{number}" for number in range(40)])})
    ticks = iter(range(10_000))
    monkeypatch.setattr(running.time, "monotonic", lambda: next(ticks))
    assert run(capsys, servers, "topicList", "-c")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, out, err = run(capsys, servers, "topicList", "-c")
    assert err.startswith("\r[..............................] 1 of 40\x1b[K")
    assert err.endswith("\r[##############################] 40 of 40\x1b[K\r\x1b[K")
    assert "of 40" not in out


@pytest.mark.parametrize("name", ["-n", "--nameserverAddr"])
def test_name_servers_by_another_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find("rocksDBConfigToJson")
    assert found is not None
    monkeypatch.setenv("NAMESRV_ADDR", "other:1")
    made = understood(found, [name, "x:1;y:2"])
    assert isinstance(made, Use)
    assert made.servers == ("x:1", "y:2")
