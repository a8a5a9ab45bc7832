"""Users and rules are made, changed, asked for and removed; codes and texts are those of Apache 5.4.0."""

from typing import Any

import pytest

from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker.auth.acls import AclTable
from rmq.server.broker.auth.users import UserTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.processors.auth import AuthProcessor
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo, UserInfo, decode_list
from rmq.wire.command import Command
from rmq.wire.declare import Declared, decode_body
from rmq.wire.requests.auth import (
    CreateAcl,
    CreateUser,
    DeleteAcl,
    DeleteUser,
    GetAcl,
    GetUser,
    ListAcls,
    ListUsers,
    UpdateAcl,
    UpdateUser,
)
from rmq.wire.requests.broker import UpdateBrokerConfig
from tests.kit.broker import Bench
from tests.kit.logs import logged
from tests.kit.memory_files import MemoryFiles
from tests.kit.peer import MemoryPeer

BOB = "User:bob"


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def peer(files: MemoryFiles) -> MemoryPeer:
    """A client of a broker with a super user alice and a normal user bob."""
    users, acls = UserTable(ConfigFile("users.json", files)), AclTable(ConfigFile("acls.json", files))
    made = MemoryPeer(Dispatcher([AuthProcessor(users, acls)]))
    assert said(made.ask(CreateUser("alice"), UserInfo(password="secret", user_type="Super"))) == (0, None)
    assert said(made.ask(CreateUser("bob"), UserInfo("other name", "pass"))) == (0, None)
    return made


def said(answer: Command) -> tuple[int, str | None]:
    return answer.code, answer.remark


def rules(*resources: str, actions: tuple[str, ...] = ("Pub",), decision: str = "Allow", subject: Any = BOB) -> AclInfo:
    entries = [PolicyEntryInfo(resource, list(actions), None, decision) for resource in resources]
    return AclInfo(subject, [PolicyInfo(entries=entries)])


def kept(*entries: PolicyEntryInfo) -> AclInfo:
    return AclInfo(BOB, [PolicyInfo("Custom", list(entries))])


def test_a_broker_keeps_both_in_files_of_its_own(bench: Bench) -> None:
    peer = bench.peer()
    peer.ask(CreateUser("bob"), UserInfo(password="pass"))
    peer.ask(CreateAcl(BOB), rules("Topic:T"))
    assert bench.files.private == {"users.json", "acls.json"}


def test_users(peer: MemoryPeer) -> None:
    alice, bob = UserInfo("alice", "secret", "Super", "enable"), UserInfo("bob", "pass", "Normal", "enable")
    assert decode_list(UserInfo, peer.ask(ListUsers()).body) == [alice, bob]
    assert decode_list(UserInfo, peer.ask(ListUsers("o")).body) == [bob]
    assert peer.ask(ListUsers("none")).body == b""
    assert peer.ask(GetUser("bob")).body == (
        b'{"password":"pass","userStatus":"enable","userType":"Normal","username":"bob"}'
    )
    assert said(peer.ask(UpdateUser("bob"), UserInfo(user_status="disable"))) == (0, None)
    assert decode_body(UserInfo, peer.ask(GetUser("bob")).body) == UserInfo("bob", "pass", "Normal", "disable")
    assert said(peer.ask(DeleteUser("bob"))) == (0, None)
    assert said(peer.ask(DeleteUser("bob"))) == (0, None)
    gone = peer.ask(GetUser("bob"))
    assert (gone.code, gone.body) == (0, b"")


@pytest.mark.parametrize(
    ("header", "code", "remark"),
    [
        (CreateUser("alice"), 16, "The user is existed"),
        (CreateUser(" "), 16, "username can not be blank"),
        (CreateUser(""), 29, "The username is blank"),
        (CreateUser(), 29, "The username is blank"),
        (UpdateUser("nobody"), 16, "The user is not exist"),
        (UpdateUser(" "), 16, "username can not be blank"),
        (UpdateUser(), 29, "The username is blank"),
        (DeleteUser(), 16, "username can not be blank"),
        (DeleteUser(" "), 16, "username can not be blank"),
        (GetUser(), 29, "The username is blank"),
        (GetUser(" "), 29, "The username is blank"),
    ],
)
def test_names_that_are_refused(peer: MemoryPeer, header: Declared, code: int, remark: str) -> None:
    assert said(peer.ask(header, UserInfo(password="x"))) == (code, remark)


def test_bodies_that_are_none_are_not_shown(peer: MemoryPeer) -> None:
    with logged() as heard:
        for header in (CreateUser("carol"), UpdateUser("bob")):
            for body in (b'{"password":"geheim", x', b"", b"[]", b'{"password":["geheim"]}'):
                assert said(peer.ask(header, body)) == (1, "the body is no UserInfo")
        assert said(peer.ask(CreateAcl(BOB), b"{")) == (1, "the body is no AclInfo")
    assert heard
    assert not any("geheim" in line for line in heard)
    assert said(peer.ask(CreateUser("carol"), b"{}")) == (16, "password can not be blank")


@pytest.mark.parametrize(
    ("key", "header", "wanted", "code", "remark"),
    [
        ("bob", CreateUser("s"), UserInfo(password="p", user_type="super"), 1,
         "The super user can only be create by super user"),
        ("nobody", CreateUser("s"), UserInfo(password="p", user_type="Super"), 16, "User:nobody is not found"),
        ("alice", CreateUser("s"), UserInfo(password="p", user_type="Super"), 0, None),
        ("", CreateUser("s"), UserInfo(password="p", user_type="Super"), 0, None),
        ("bob", CreateUser("n"), UserInfo(password="p"), 0, None),
        ("bob", UpdateUser("alice"), UserInfo(password="p"), 16, "The super user can only be update by super user"),
        ("bob", UpdateUser("bob"), UserInfo(user_type="Super"), 1, "The super user can only be update by super user"),
        ("bob", UpdateUser("bob"), UserInfo(password="p"), 0, None),
        ("alice", UpdateUser("alice"), UserInfo(password="p"), 0, None),
        ("bob", DeleteUser("alice"), b"", 16, "The super user can only be update by super user"),
        ("nobody", DeleteUser("alice"), b"", 16, "User:nobody is not found"),
        ("bob", DeleteUser("bob"), b"", 0, None),
        ("alice", DeleteUser("alice"), b"", 0, None),
    ],
)  # fmt: skip
def test_super_users_are_left_to_super_users(
    peer: MemoryPeer, key: str, header: Declared, wanted: bytes | Declared, code: int, remark: str | None
) -> None:
    assert said(peer.ask(header, wanted, ext={"AccessKey": key})) == (code, remark)


def test_rules(peer: MemoryPeer) -> None:
    assert said(peer.ask(CreateAcl(BOB), rules("topic:T", actions=("pub", "Sub")))) == (0, None)
    both = PolicyEntryInfo("Topic:T", ["Pub", "Sub"], None, "Allow")
    assert decode_body(AclInfo, peer.ask(GetAcl("user:bob")).body) == kept(both)
    assert said(peer.ask(UpdateAcl("User:alice"), rules("Group:G", "Topic:T", decision="Deny"))) == (0, None)
    changed = [PolicyEntryInfo(resource, ["Pub"], None, "Deny") for resource in ("Topic:T", "Group:G")]
    assert decode_list(AclInfo, peer.ask(ListAcls()).body) == [kept(*changed)]
    assert said(peer.ask(CreateAcl("User:alice"), rules("*", subject=None))) == (0, None)
    assert [acl.subject for acl in decode_list(AclInfo, peer.ask(ListAcls()).body)] == ["User:alice", BOB]
    assert decode_list(AclInfo, peer.ask(ListAcls("bob", "Topic")).body) == [kept(changed[0])]
    assert peer.ask(ListAcls("bob", "none")).body == b""
    assert said(peer.ask(DeleteAcl(BOB, resource="topic:T"))) == (0, None)
    assert said(peer.ask(DeleteAcl(BOB, resource="Topic:T"))) == (0, None)
    assert decode_body(AclInfo, peer.ask(GetAcl(BOB)).body) == kept(changed[1])
    assert said(peer.ask(DeleteAcl(BOB))) == (0, None)
    assert (peer.ask(GetAcl(BOB)).body, said(peer.ask(GetAcl(BOB)))) == (b"", (0, None))
    assert said(peer.ask(DeleteAcl(BOB))) == (16, "The acl is not exist.")


def test_a_rule_of_one_type_is_removed(peer: MemoryPeer) -> None:
    entry = PolicyEntryInfo("Topic:T", ["Pub"], None, "Allow")
    both = AclInfo(BOB, [PolicyInfo("Custom", [entry]), PolicyInfo("Default", [entry])])
    peer.ask(CreateAcl(BOB), both)
    assert decode_body(AclInfo, peer.ask(GetAcl(BOB)).body) == both
    peer.ask(DeleteAcl(BOB, "default", "Topic:T"))
    assert decode_body(AclInfo, peer.ask(GetAcl(BOB)).body) == kept(entry)


def test_rules_go_with_their_user(peer: MemoryPeer) -> None:
    peer.ask(CreateAcl(BOB), rules("Topic:T"))
    peer.ask(DeleteUser("bob"))
    assert peer.ask(ListAcls()).body == b""
    peer.ask(CreateUser("bob"), UserInfo(password="p"))
    assert peer.ask(GetAcl(BOB)).body == b""


@pytest.mark.parametrize(
    ("header", "wanted", "code", "remark"),
    [
        (CreateAcl("User:x"), rules("*", subject="User:x"), 16, "The subject of User:x is not exist."),
        (CreateAcl("User"), rules("*", subject="User"), 16, "The subject of User: is not exist."),
        (CreateAcl("bob"), rules("*", subject="bob"), 16, "The subject is null."),
        (UpdateAcl(), rules("*", subject=None), 16, "The subject is null."),
        (CreateAcl(BOB), AclInfo(BOB, []), 1, "The body of acl is null"),
        (UpdateAcl(BOB), rules("Topik:T"), 16, "The resource is null."),
        (GetAcl("User:x"), b"", 16, "The subject is not exist."),
        (GetAcl("bob"), b"", 16, "The subject is null."),
        (GetAcl(), b"", 16, "The subject is null."),
        (DeleteAcl("User:x"), b"", 16, "The subject is not exist."),
        (DeleteAcl("bob"), b"", 16, "The subject is null."),
        (DeleteAcl(BOB, resource="Topic:T"), b"", 16, "The acl is not exist."),
    ],
)
def test_rules_that_are_refused(
    peer: MemoryPeer, header: Declared, wanted: bytes | Declared, code: int, remark: str
) -> None:
    assert said(peer.ask(header, wanted)) == (code, remark)
    assert peer.ask(ListAcls()).body == b""


def test_a_resource_that_is_none_does_not_remove_all_rules(peer: MemoryPeer) -> None:
    peer.ask(CreateAcl(BOB), rules("Topic:T"))
    assert said(peer.ask(DeleteAcl(BOB, resource="Topik:T"))) == (29, "The resource Topik:T is no resource.")
    assert said(peer.ask(DeleteAcl(BOB, resource=" "))) == (29, "The resource   is no resource.")
    assert decode_list(AclInfo, peer.ask(ListAcls()).body) != []


def test_a_long_body_is_refused_before_it_is_read(peer: MemoryPeer) -> None:
    body = b'{"subject":"User:bob","policies":[' + b" " * 65_536
    for header in (CreateAcl(BOB), UpdateAcl(BOB), CreateUser("carol"), UpdateUser("bob")):
        assert said(peer.ask(header, body)) == (29, "a body of 65570 bytes is longer than 65536")


def test_a_full_disk_is_told_and_nothing_changes(files: MemoryFiles, peer: MemoryPeer) -> None:
    peer.ask(CreateAcl(BOB), rules("Topic:T"))
    files.refuse = OSError(28, "No space left on device")
    reason = "cannot be written: [Errno 28] No space left on device"
    assert said(peer.ask(CreateUser("carol"), UserInfo(password="p"))) == (1, f"the users {reason}")
    assert said(peer.ask(DeleteUser("bob"))) == (1, f"the rules {reason}")
    files.refuse = None
    assert len(decode_list(UserInfo, peer.ask(ListUsers()).body)) == 2
    assert decode_list(AclInfo, peer.ask(ListAcls()).body) != []


@pytest.mark.parametrize("key", ["aclEnable", "authenticationEnabled", "authorizationEnabled"])
def test_a_running_broker_cannot_be_told_to_protect_itself(bench: Bench, key: str) -> None:
    answer = bench.peer().ask(UpdateBrokerConfig(), f"fileReservedTime=1\n{key}=true\n".encode())
    assert said(answer) == (
        29,
        f"update request, line 2: {key}=true is not allowed; {key} must be false, because access rights are not "
        "checked, so that the broker would run open to everybody; set it to false to accept that.",
    )
    assert bench.settings.store.file_reserved_time == 72
    assert bench.files.files == {}
