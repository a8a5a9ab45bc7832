"""Every command, when something is wrong: one clear line on standard error, and the right exit code.

The servers are in memory; tests/interop/test_mqadmin_errors.py has the same with sockets, for some commands.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.cli import main
from rmq.admin.declare import Command, every
from rmq.admin.errors import FAILED, NO_CONTROLLER, WRONG_USAGE
from rmq.admin.examples import required_options, shortest
from rmq.admin.options import Option
from rmq.admin.running import guarded, understood
from rmq.remoting.calls import SUCCESS, Answer, accepted
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.wire.command import Command as Frame
from rmq.wire.declare import REQUESTS, spec_of

COMMANDS = every()
ENDLESS = {"startMonitoring"}
"""Goes on whatever happens: it is there to wait for better times."""
LOCAL = {"dumpCompactionLog", "exportMetadataInRocksDB"}
"""Asks no server."""
CONTROLLED = {command.name for command in COMMANDS if any(o.long == "controllerAddress" for o in command.options)}

NAMESRV, BROKER = "127.0.0.1:9876", "127.0.0.1:10911"
_TOPIC = {"topicName": "orders", "groupName": "GID_orders"}
_FILES = {
    "list.json": [_TOPIC],
    "metadata.json": {"topicConfigTable": {"orders": _TOPIC}},
    "configs.json": {"brokerConfigs": {"broker-a": {"flushDiskType": "ASYNC_FLUSH"}}},
}


def named(items: Iterable[Any]) -> dict[str, Any]:
    """Parameters with readable names."""
    return {"argvalues": list(items), "ids": lambda item: getattr(item, "name", None) or getattr(item, "key", None)}


def commands(*but: set[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "command", **named(command for command in COMMANDS if not any(command.name in names for names in but))
    )


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with the files that command lines name, and no name server in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NAMESRV_ADDR", raising=False)
    for name, content in _FILES.items():
        (tmp_path / name).write_text(json.dumps(content))


# --- servers ---------------------------------------------------------------------------------------------------------

Outcome = tuple[int, str, bytes]
"""Response code, remark, body."""


class Servers:
    """An `Invoker` whose requests end as a function says: with an answer, or with an error."""

    def __init__(self, outcome: Callable[[str, int, float], Outcome]) -> None:
        self._outcome = outcome

    async def call(
        self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0, accept: frozenset[int] = SUCCESS
    ) -> Answer:
        """See `rmq.remoting.calls.Invoker`."""
        code, remark, payload = self._outcome(address, spec_of(type(header)).code, timeout)
        return accepted(header, Frame(code, {}, payload, remark=remark), address, accept)

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        """See `rmq.remoting.calls.Invoker`."""
        self._outcome(address, spec_of(type(header)).code, 0)


def refused(address: str, code: int, timeout: float) -> Outcome:
    raise ConnectFailedError(address, "Connection refused")


def silent(address: str, code: int, timeout: float) -> Outcome:
    assert timeout <= 0.1, "a request would take longer than --timeout allows"
    raise CallTimeoutError(address, timeout)


def shouting(address: str, code: int, timeout: float) -> Outcome:
    raise ConnectionClosedError(address, "what it sent is no frame")


USELESS = {
    refused: "connect to {} failed: Connection refused. Check the address, and that the server runs.",
    silent: "wait response on the channel <{}> timeout, 100(ms). Check that a RocketMQ server listens there; --timeout"
    " waits longer.",
    shouting: "connection to {} closed before the answer came: what it sent is no frame. Check that a RocketMQ server"
    " listens there.",
}

_DATA = {"brokerName": "broker-a", "cluster": "DefaultCluster", "brokerAddrs": {"0": BROKER}}
_QUEUES = {"brokerName": "broker-a", "readQueueNums": 2, "writeQueueNums": 2, "perm": 6, "topicSysFlag": 0}
_KNOWN: dict[int, Any] = {
    105: {"brokerDatas": [_DATA], "queueDatas": [_QUEUES]},
    106: {"brokerAddrTable": {"broker-a": _DATA}, "clusterAddrTable": {"DefaultCluster": ["broker-a"]}},
    206: {"topicList": ["orders", "%RETRY%GID_orders"]},
}


def well(address: str, code: int, timeout: float) -> Outcome:
    """A name server that knows one broker and two topics."""
    return 0, "", json.dumps(_KNOWN.get(code, {})).encode()


def run(
    capsys: pytest.CaptureFixture[str], command: Command, words: list[str], outcome: Callable[..., Outcome]
) -> tuple[int, list[str]]:
    """Exit code, and the lines on standard error."""
    words = [word.replace("/tmp/rocketmq/export", ".") for word in words]
    use = understood(command, words[1:])
    code = use if isinstance(use, int) else asyncio.run(guarded(use, Servers(outcome)))
    return code, capsys.readouterr().err.splitlines()


def check_failure(command: Command, code: int, lines: list[str], exit_code: int = FAILED) -> None:
    assert code == exit_code, lines
    assert lines
    for line in lines:
        assert line.startswith(f"mqadmin {command.name}: ")
        assert "unexpected" not in line


# --- servers that are of no use --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", USELESS, ids=lambda outcome: outcome.__name__)
@commands(ENDLESS, LOCAL)
def test_no_server_is_of_use(
    capsys: pytest.CaptureFixture[str], command: Command, outcome: Callable[..., Outcome]
) -> None:
    code, lines = run(capsys, command, [*shortest(command), "--timeout", "0.1"], outcome)
    check_failure(command, code, lines)
    assert any(USELESS[outcome].format(address) in lines[0] for address in (NAMESRV, BROKER)) or command.name in {
        *CONTROLLED,
        *("addBroker", "removeBroker", "copyAcl", "copyUser"),
    }


NAMESRV_ONLY = {
    *("topicList", "topicRoute", "topicClusterList", "getNamesrvConfig", "updateKvConfig", "deleteKvConfig"),
    *("updateOrderConf", "allocateMQ"),
}
HEADERS_OF_THE_NAMESRV = {"wipeWritePerm", "addWritePerm", "updateNamesrvConfig"}
"""Wants more of a name server than this one gives."""


@pytest.mark.parametrize("outcome", USELESS, ids=lambda outcome: outcome.__name__)
@commands(ENDLESS, LOCAL, HEADERS_OF_THE_NAMESRV, {"clusterRT"})
def test_the_brokers_are_of_no_use(
    capsys: pytest.CaptureFixture[str], command: Command, outcome: Callable[..., Outcome]
) -> None:
    code, lines = run(
        capsys,
        command,
        [*shortest(command), "--timeout", "0.1"],
        lambda address, *others: (well if address == NAMESRV else outcome)(address, *others),
    )
    if command.name in NAMESRV_ONLY:
        assert (code, lines) == (0, [])
    else:
        check_failure(command, code, lines)


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"brokerAddrTable":1}', b""])
@commands(ENDLESS, LOCAL, {"clusterRT"})
def test_answers_that_mean_nothing(capsys: pytest.CaptureFixture[str], command: Command, body: bytes) -> None:
    code, lines = run(capsys, command, shortest(command), lambda *asked: (0, "", body))
    # A command that asks for no more than that something is done is done.
    if code != 0 or lines:
        check_failure(command, code, lines)


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b""])
@commands(ENDLESS, LOCAL, {"clusterRT"})
def test_brokers_whose_answers_mean_nothing(capsys: pytest.CaptureFixture[str], command: Command, body: bytes) -> None:
    code, lines = run(
        capsys,
        command,
        shortest(command),
        lambda address, *others: well(address, *others) if address == NAMESRV else (0, "", body),
    )
    if code != 0 or lines:
        check_failure(command, code, lines)


@commands(ENDLESS, LOCAL)
def test_a_server_that_does_not_know_the_request(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    code, lines = run(capsys, command, shortest(command), lambda *asked: (3, " request type 9 not supported", b""))
    check_failure(command, code, lines)
    # What controllers are asked has words of its own.
    assert any(line.endswith(("This server does not support the command.", NO_CONTROLLER)) for line in lines)


# --- names that nobody knows -----------------------------------------------------------------------------------------

_OTHER_CLUSTER = {"brokerAddrTable": {"broker-a": _DATA}, "clusterAddrTable": {"C1": ["broker-a"]}}
NO_ROUTE = (17, "No topic route info in name server for the topic: orders\nSee https://x for further details.", b"")
WITH_CLUSTER = [found for found in COMMANDS if "DefaultCluster" in shortest(found) and found.name not in CONTROLLED]
WITH_TOPIC = [found for found in COMMANDS if "orders" in shortest(found)]


@pytest.mark.parametrize("command", **named(WITH_CLUSTER))
def test_an_unknown_cluster(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    answers = {106: json.dumps(_OTHER_CLUSTER).encode(), 105: json.dumps(_KNOWN[105]).encode()}

    def outcome(address: str, code: int, timeout: float) -> Outcome:
        return (0, "", answers[code]) if code in answers else NO_ROUTE

    code, lines = run(capsys, command, shortest(command), outcome)
    check_failure(command, code, lines)
    assert any("the cluster DefaultCluster does not exist. There are these clusters: C1." in line for line in lines)


@pytest.mark.parametrize("command", **named(WITH_TOPIC))
def test_an_unknown_topic(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    code, lines = run(capsys, command, shortest(command), lambda *asked: NO_ROUTE)
    check_failure(command, code, lines)


# --- rehearsals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", **named(command for command in COMMANDS if command.changes))
def test_a_rehearsal_changes_nothing(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    here = sorted(Path().rglob("*"))

    def asked(address: str, code: int, timeout: float) -> Outcome:
        assert not REQUESTS[code].changes
        return well(address, code, timeout)

    code, lines = run(capsys, command, [*shortest(command), "--dry-run"], asked)
    assert sorted(Path().rglob("*")) == here
    if code != 0 or lines:
        check_failure(command, code, lines)


# --- the command line ------------------------------------------------------------------------------------------------


def name_of(option: Option) -> str:
    return f"-{option.short}" if option.short else f"--{option.long}"


@pytest.mark.parametrize(
    ("command", "option"), **named((command, option) for command in COMMANDS for option in required_options(command))
)
def test_a_missing_option(capsys: pytest.CaptureFixture[str], command: Command, option: Option) -> None:
    words = shortest(command)
    place = words.index(name_of(option))
    code = main([*words[:place], *words[place + 2 :]])
    out, err = capsys.readouterr()
    assert code == WRONG_USAGE
    assert out.startswith(f"usage: mqadmin {command.name} ")
    assert err.count("\n") == 1
    assert err.startswith("Missing required option") or err.endswith(" is missing\n")


@commands()
def test_an_unknown_option(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    code = main([*shortest(command), "--nosuchoption"])
    out, err = capsys.readouterr()
    assert (code, err) == (WRONG_USAGE, "Unrecognized option: --nosuchoption\n")
    assert out.startswith(f"usage: mqadmin {command.name} ")


_NUMBERS = (
    "readQueueNums writeQueueNums perm offset queueId qid count interval amount size threshold index queue"
    " retryQueueNums retryMaxTimes brokerId whichBrokerWhenConsumeSlowly maxNum MessageNumber beginTimestamp"
    " endTimestamp totalQueueNum level timeoutMillis timestamp"
)
NUMBERS = frozenset(_NUMBERS.split())
ONLY_WITH = {
    ("sendMessage", "-i"): ("-b", "broker-a"),
    ("consumeMessage", "-i"): ("-b", "broker-a"),
    ("consumeMessage", "-o"): ("-b", "broker-a", "-i", "0"),
    ("resetOffsetByTime", "-o"): ("-b", "broker-a", "-q", "0"),
}
"""Options that mean nothing without others."""


@pytest.mark.parametrize(
    ("command", "option"),
    **named(
        (command, option)
        for command in COMMANDS
        for option in command.options
        if option.long.strip() in NUMBERS and not option.flag
    ),
)
def test_a_bad_number(capsys: pytest.CaptureFixture[str], command: Command, option: Option) -> None:
    words, name = shortest(command), name_of(option)
    if name in words:
        words[words.index(name) + 1] = "12x"
    else:
        words += [name, "12x", *ONLY_WITH.get((command.name, name), ())]
    code, lines = run(capsys, command, words, well)
    check_failure(command, code, lines, WRONG_USAGE)
    assert len(lines) == 1
    assert "12x" in lines[0]


@commands()
def test_a_page(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    assert main(["help", command.name]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"usage: mqadmin {command.name} ")
    assert f"\n mqadmin {command.name}" in out
    assert [line for line in out.splitlines() if len(line) > 110 and not line.startswith(" mqadmin ")] == []
