"""Name server commands."""

from collections.abc import Callable
from typing import Any

import pytest

from rmq.client.admin.properties import parse_properties, properties_text
from rmq.wire.errors import NoPermissionError, RemotingError
from rmq.wire.requests.kv import DeleteKVConfig, PutKVConfig
from rmq.wire.requests.namesrv import (
    AddWritePermOfBroker,
    AddWritePermReply,
    GetNamesrvConfig,
    UpdateNamesrvConfig,
    WipeWritePermOfBroker,
    WipeWritePermReply,
)
from tests.kit.adminfake import NAMESRV, FakeServers, Reply, report, text

OTHER = "10.0.0.8:9876"


def two(answers: dict[type[Any], Any] | None = None, *, down: str = "") -> FakeServers:
    """Two name servers."""
    servers = FakeServers(answers)
    servers.nameservers, servers.down = (NAMESRV, OTHER), {down} if down else set()
    return servers


# --- key-value configuration ---------------------------------------------------------------------------------------


def test_update_kv_config() -> None:
    servers = two()
    made = report(servers, "updateKvConfig", "-s", "ns1", "-k", "key1", "-v", " a:1;b:2 ")
    assert made.render("text") == "create or update kv config to namespace success.\n"
    assert made.members == {"namespace": "ns1", "key": "key1", "value": "a:1;b:2", "nameServers": [NAMESRV, OTHER]}
    sent = PutKVConfig("ns1", "key1", "a:1;b:2")
    assert servers.sent(PutKVConfig) == [(NAMESRV, sent), (OTHER, sent)]


def test_delete_kv_config() -> None:
    servers = two()
    made = report(servers, "deleteKvConfig", "-s", "ns1", "-k", "key1")
    assert made.render("text") == "delete kv config from namespace success.\n"
    assert made.members == {"namespace": "ns1", "key": "key1", "nameServers": [NAMESRV, OTHER]}
    assert servers.sent(DeleteKVConfig) == [
        (NAMESRV, DeleteKVConfig("ns1", "key1")),
        (OTHER, DeleteKVConfig("ns1", "key1")),
    ]


@pytest.mark.parametrize("line", ["updateKvConfig -s a -k b -v c", "deleteKvConfig -s a -k b"])
def test_no_success_unless_every_name_server_did_it(line: str) -> None:
    made = report(two(down=NAMESRV), *line.split())
    assert made.render("text") == ""
    assert made.members["nameServers"] == [OTHER]
    assert [failure.address for failure in made.failures] == [NAMESRV]


# --- write permission ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verb", "kind", "answer"),
    [
        ("wipeWritePerm", "wipe", WipeWritePermOfBroker, WipeWritePermReply),
        ("addWritePerm", "add", AddWritePermOfBroker, AddWritePermReply),
    ],
)
def test_write_permission(name: str, verb: str, kind: type[Any], answer: Callable[[int], Any]) -> None:
    servers = two({kind: Reply(header=answer(25))})
    made = report(servers, name, "-b", "broker-a")
    line = f"{verb} write perm of broker[broker-a] in name server[{{}}] OK, 25\n"
    assert made.render("text") == line.format(NAMESRV) + line.format(OTHER)
    assert made.members == {"brokerName": "broker-a", "nameServers": {NAMESRV: 25, OTHER: 25}}
    assert servers.sent(kind) == [(NAMESRV, kind("broker-a")), (OTHER, kind("broker-a"))]


def test_write_permission_where_a_name_server_is_down() -> None:
    servers = two({WipeWritePermOfBroker: Reply(header=WipeWritePermReply(25))}, down=NAMESRV)
    made = report(servers, "wipeWritePerm", "-b", "broker-a")
    assert made.render("text") == (
        f"wipe write perm of broker[broker-a] in name server[{NAMESRV}] Failed\n"
        f"wipe write perm of broker[broker-a] in name server[{OTHER}] OK, 25\n"
    )
    assert [failure.address for failure in made.failures] == [NAMESRV]
    assert made.members["nameServers"] == {OTHER: 25}


def test_write_permission_of_an_unknown_broker() -> None:
    servers = FakeServers({AddWritePermOfBroker: Reply(header=AddWritePermReply(0))})
    made = report(servers, "addWritePerm", "-b", "nope")
    assert made.render("text") == f"add write perm of broker[nope] in name server[{NAMESRV}] OK, 0\n"
    assert [failure.remark for failure in made.failures] == ["The broker[nope] not exist"]
    # One that has no topics is known all the same.
    assert report(servers, "addWritePerm", "-b", "broker-a").failures == []


# --- settings ------------------------------------------------------------------------------------------------------


class Settings(FakeServers):
    """Name servers that keep settings, and refuse values that are no numbers."""

    def __init__(self) -> None:
        self.kept = {"size": "3000", "name": "x=y"}
        super().__init__({GetNamesrvConfig: lambda *_: properties_text(self.kept)})

    async def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Any:
        answer = await super().call(address, header, body, **options)
        if isinstance(header, UpdateNamesrvConfig):
            self.kept.update(parse_properties(body.decode()))
        return answer


def test_settings() -> None:
    servers = Settings()
    servers.nameservers = (NAMESRV, OTHER)
    made = report(servers, "getNamesrvConfig")
    listing = f"{'size':<50}=  3000\n{'name':<50}=  x=y\n"
    assert made.render("text") == (
        f"============{NAMESRV}============\n{listing}============{OTHER}============\n{listing}"
    )
    assert made.members == {"nameServers": {NAMESRV: servers.kept, OTHER: servers.kept}}
    servers.down = {NAMESRV}
    made = report(servers, "getNamesrvConfig")
    assert made.render("text") == f"============{OTHER}============\n{listing}"
    assert [failure.address for failure in made.failures] == [NAMESRV]


def test_change_of_a_setting() -> None:
    servers = Settings()
    assert text(servers, "updateNamesrvConfig", "-k", "size", "-v", "3001") == (
        "update name server config success!\nsize : 3001\n"
    )
    assert servers.kept["size"] == "3001"
    # Only servers that were given are named.
    made = report(servers, "updateNamesrvConfig", "-n", NAMESRV, "-k", "size", "-v", "3002")
    assert made.render("text") == f"update name server config success![{NAMESRV}]\nsize : 3002\n"
    assert made.members == {"key": "size", "value": "3002", "nameServers": [NAMESRV]}


def test_change_of_a_setting_where_a_name_server_is_down() -> None:
    servers = Settings()
    servers.nameservers, servers.down = (NAMESRV, OTHER), {NAMESRV}
    made = report(servers, "updateNamesrvConfig", "-k", "size", "-v", "3001")
    assert made.render("text") == f"update name server config success![{OTHER}]\nsize : 3001\n"
    assert [failure.address for failure in made.failures] == [NAMESRV]


@pytest.mark.parametrize(
    "error", [NoPermissionError("Can not update config in black list."), RemotingError("update request, line 1: ...")]
)
def test_refused_change_of_a_setting(error: RemotingError) -> None:
    servers = Settings()
    servers.answers[UpdateNamesrvConfig] = error
    made = report(servers, "updateNamesrvConfig", "-k", "kvConfigPath", "-v", "/tmp/x")
    assert made.render("text") == ""
    assert made.failures == [error]
    assert made.members["nameServers"] == []


def test_ignored_change_of_a_setting() -> None:
    servers = FakeServers({GetNamesrvConfig: b"size=3000\n"})
    made = report(servers, "updateNamesrvConfig", "-k", "size", "-v", "abc")
    assert made.render("text") == ""
    assert [failure.remark for failure in made.failures] == [
        f"{NAMESRV} answered success but did not take size=abc: size is 3000 as before"
    ]
    # A rehearsal does not look for what it did not do.
    assert report(servers, "updateNamesrvConfig", "-k", "size", "-v", "abc", "--dry-run").failures == []
