"""Rules: what each command prints, sends and refuses."""

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo, encode_list
from rmq.wire.declare import encode_body
from rmq.wire.errors import NoPermissionError
from rmq.wire.requests.auth import CreateAcl, DeleteAcl, GetAcl, ListAcls, UpdateAcl
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, report, text

BOB = AclInfo(
    "User:bob",
    [
        PolicyInfo("Custom", [PolicyEntryInfo("Topic:T_two", ["Pub", "Sub"], None, "Allow")]),
        PolicyInfo("Default", [PolicyEntryInfo("Group:GID_a", ["Sub"], ["127.0.0.1", "192.168.0.0/16"], "Deny")]),
    ],
)
HEAD = (
    "#Subject          #PolicyType  #Resource               #Actions              #SourceIp                 "
    "#Decision \n"
)
LINES = (
    "User:bob          Custom      Topic:T_two             [Pub, Sub]            null                      "
    "Allow     \n"
    "User:bob          Default     Group:GID_a             [Sub]                 [127.0.0.1, 192.168.0.0/16]  "
    "Deny      \n"
)
HINT = "[error] Make sure the specified clusterName exists or the name server connected to is correct."


def members(broker: str) -> list[dict[str, object]]:
    return [
        {"address": broker, "subject": "User:bob", "policyType": "Custom", "resource": "Topic:T_two",
         "actions": ["Pub", "Sub"], "sourceIps": None, "decision": "Allow"},
        {"address": broker, "subject": "User:bob", "policyType": "Default", "resource": "Group:GID_a",
         "actions": ["Sub"], "sourceIps": ["127.0.0.1", "192.168.0.0/16"], "decision": "Deny"},
    ]  # fmt: skip


def wanted(*resources: str, ips: list[str] | None = None) -> AclInfo:
    entries = [PolicyEntryInfo(resource, ["Pub", "sub"], ips, "Deny") for resource in resources]
    return AclInfo("User:bob", [PolicyInfo(None, entries)])


RULE = ("-s", " User:bob", "-r", "Topic:T, Group:G*", "-a", "Pub, sub", "-d", "Deny ")


@pytest.mark.parametrize(("name", "line", "kind"), [
    ("createAcl", "create acl", CreateAcl), ("updateAcl", "update acl", UpdateAcl),
])  # fmt: skip
def test_rules_are_put(name: str, line: str, kind: type) -> None:
    servers = FakeServers()
    made = report(servers, name, "-b", MASTER_A, *RULE)
    assert (made.render("text"), made.members) == (f"{line} to {MASTER_A} success.\n", {"brokers": [MASTER_A]})
    assert servers.calls == [(MASTER_A, kind("User:bob"), wanted("Topic:T", "Group:G*"))]
    servers = FakeServers()
    everywhere = text(servers, name, "-c", "C1", *RULE, "-i", "10.0.0.1, ::1")
    assert everywhere == "".join(f"{line} to {address} success.\n" for address in (MASTER_A, SLAVE_A, MASTER_B))
    assert [call[2] for call in servers.calls[1:]] == [wanted("Topic:T", "Group:G*", ips=["10.0.0.1", "::1"])] * 3


def test_a_broker_that_refuses() -> None:
    refused = FakeServers({CreateAcl: NoPermissionError("The subject of User:bob is not exist.")})
    made = report(refused, "createAcl", "-b", MASTER_A, *RULE)
    assert (made.render("text"), [failure.remark for failure in made.failures]) == (
        "", ["The subject of User:bob is not exist."],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "bad", "reason"),
    [
        ("-s", "bob", "subject bob: User: and a name is expected, such as User:alice"),
        ("-s", "User:", "subject User:: User: and a name is expected, such as User:alice"),
        ("-r", "Topic:T,Topik:T", r"resource Topik:T: \* is expected, or a kind and a name"),
        ("-r", "", r"resource : \* is expected, or a kind and a name"),
        ("-a", "Pub,Wrong", "action Wrong: one of All, Pub, Sub, Create, Update, Delete, Get, List is expected"),
        ("-a", "Any", "action Any: one of All,"),
        ("-a", ",", "action ,: one of All,"),
        ("-d", "Maybe", "the decision is Allow or Deny, not Maybe"),
    ],
)
@pytest.mark.parametrize("name", ["createAcl", "updateAcl"])
def test_rules_that_are_none(name: str, option: str, bad: str, reason: str) -> None:
    servers = FakeServers()
    line = list(RULE)
    line[line.index(option) + 1] = bad
    with pytest.raises(CommandLineError, match=f"^{reason}"):
        text(servers, name, "-b", MASTER_A, *line)
    assert servers.calls == []


def test_an_empty_list_of_addresses_does_not_mean_every_address() -> None:
    servers = FakeServers()
    with pytest.raises(CommandLineError, match=r"^-i holds no address; without it the rule holds for every address$"):
        text(servers, "createAcl", "-b", MASTER_A, *RULE, "-i", ",")
    assert servers.calls == []


def test_all_rules_are_removed() -> None:
    servers = FakeServers()
    made = report(servers, "deleteAcl", "-b", MASTER_A, "-s", "User:bob")
    assert (made.render("text"), made.members) == (f"delete acl to {MASTER_A} success.\n", {"brokers": [MASTER_A]})
    assert servers.calls == [(MASTER_A, DeleteAcl("User:bob"), b"")]


def test_some_rules_are_removed() -> None:
    servers = FakeServers()
    assert text(servers, "deleteAcl", "-c", "C1", "-s", "User:bob", "-r", "Topic:A,Topic:B") == "".join(
        f"delete acl to {address} success.\n" for address in (MASTER_A, SLAVE_A, MASTER_B)
    )
    sent = sorted(servers.sent(DeleteAcl), key=lambda call: call[0])
    assert sent == [
        (address, DeleteAcl("User:bob", None, resource))
        for address in (MASTER_A, SLAVE_A, MASTER_B)
        for resource in ("Topic:A", "Topic:B")
    ]


@pytest.mark.parametrize("bad", ["Topik:A", "Topic:A,B", "", ","])
def test_a_resource_that_is_none_removes_nothing(bad: str) -> None:
    servers = FakeServers()
    with pytest.raises(CommandLineError, match=r"^resource "):
        text(servers, "deleteAcl", "-b", MASTER_A, "-s", "User:bob", "-r", bad)
    assert servers.calls == []


def test_rules_for_one_user() -> None:
    servers = FakeServers({GetAcl: encode_body(BOB)})
    made = report(servers, "getAcl", "-b", MASTER_A, "-s", "User:bob")
    assert (made.render("text"), made.members) == (HEAD + LINES, {"rules": members(MASTER_A)})
    assert made.render("csv") == (
        "address,subject,policyType,resource,actions,sourceIps,decision\n"
        f'{MASTER_A},User:bob,Custom,Topic:T_two,"[""Pub"",""Sub""]",,Allow\n'
        f'{MASTER_A},User:bob,Default,Group:GID_a,"[""Sub""]","[""127.0.0.1"",""192.168.0.0/16""]",Deny\n'
    )


def test_rules_on_every_master() -> None:
    servers = FakeServers({GetAcl: encode_body(BOB), ListAcls: encode_list([BOB])})
    for words in (("getAcl", "-s", "User:bob"), ("listAcl",)):
        made = report(servers, *words, "-c", "C1")
        assert made.render("text") == HEAD + LINES + HEAD + LINES
        assert made.members == {"rules": [*members(MASTER_A), *members(MASTER_B)]}


def test_a_master_that_cannot_tell() -> None:
    unknown = NoPermissionError("The subject is not exist.")
    servers = FakeServers({GetAcl: lambda address, header: unknown if address == MASTER_A else encode_body(BOB)})
    made = report(servers, "getAcl", "-c", "C1", "-s", "User:bob")
    assert made.render("text") == HEAD + LINES
    assert [(failure.address, failure.remark) for failure in made.failures] == [(MASTER_A, unknown.remark)]


def test_no_rules() -> None:
    for words in (("getAcl", "-s", "User:alice"), ("listAcl",)):
        made = report(FakeServers(), *words, "-b", MASTER_A)
        assert (made.render("text"), made.members, made.failures) == ("", {"rules": []}, [])
        assert made.render("csv") == "address,subject,policyType,resource,actions,sourceIps,decision\n"
    with pytest.raises(CommandLineError, match=r"^-s is missing$"):
        text(FakeServers(), "getAcl", "-b", MASTER_A)
    with pytest.raises(CommandLineError, match=r"^subject bob: "):
        text(FakeServers(), "getAcl", "-b", MASTER_A, "-s", "bob")


def test_filters() -> None:
    servers = FakeServers()
    text(servers, "listAcl", "-b", MASTER_A, "-s", "bob", "-r", " T_two")
    text(servers, "listAcl", "-b", MASTER_A)
    assert servers.calls == [(MASTER_A, ListAcls("bob", "T_two"), b""), (MASTER_A, ListAcls(), b"")]


@pytest.mark.parametrize("words", [("createAcl", *RULE), ("deleteAcl", "-s", "User:a"), ("listAcl",)])
def test_an_unknown_cluster(words: tuple[str, ...]) -> None:
    made = report(FakeServers(), *words, "-c", "nope")
    assert made.render("text") == HINT
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


def test_rules_are_copied() -> None:
    alice = AclInfo("User:alice", BOB.policies)
    servers = FakeServers({
        ListAcls: encode_list([alice, BOB]),
        GetAcl: lambda address, header: encode_body(BOB) if header.subject == "User:bob" else b"",
    })  # fmt: skip
    made = report(servers, "copyAcl", "-f", MASTER_A, "-t", MASTER_B)
    assert made.render("text") == (
        f"copy acl of User:alice from {MASTER_A} to {MASTER_B} success.\n"
        f"copy acl of User:bob from {MASTER_A} to {MASTER_B} success.\n"
    )
    assert made.members == {"copied": ["User:alice", "User:bob"]}
    assert [call for call in servers.calls if call[2]] == [
        (MASTER_B, CreateAcl("User:alice"), alice),
        (MASTER_B, UpdateAcl("User:bob"), BOB),
    ]
    made = report(servers, "copyAcl", "-f", MASTER_A, "-t", MASTER_B, "-s", "User:alice,User:bob")
    assert made.render("text") == f"copy acl of User:bob from {MASTER_A} to {MASTER_B} success.\n"
    assert [failure.remark for failure in made.failures] == [f"{MASTER_A} has no rules for User:alice"]
    with pytest.raises(CommandLineError, match=r"^subject bob: "):
        text(servers, "copyAcl", "-f", MASTER_A, "-t", MASTER_B, "-s", "User:alice,bob")
