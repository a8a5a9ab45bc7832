"""Users and rules: one broker, the first that knows, and copies."""

import pytest

from rmq.client.admin.auth import (
    Copied,
    Found,
    copy_acls,
    copy_users,
    create_acl,
    create_user,
    delete_acl,
    delete_user,
    first_found,
    get_acl,
    get_user,
    list_acls,
    list_users,
    rules_for,
    update_acl,
    update_user,
)
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo, UserInfo, encode_list
from rmq.wire.declare import encode_body
from rmq.wire.errors import InvalidFieldError, NoPermissionError
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
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, operate

ALICE, BOB = UserInfo("alice", "a", "Super", "enable"), UserInfo("bob", "b", "Normal", "disable")
RULES = AclInfo("User:bob", [PolicyInfo("Custom", [PolicyEntryInfo("Topic:T", ["Pub"], None, "Allow")])])


class TwoBrokers(FakeServers):
    """Brokers with users and rules that do not change; those of A are given, B has alice and rules for bob."""

    def __init__(self, users: dict[str, UserInfo], acls: dict[str, AclInfo]) -> None:
        self.users = {MASTER_A: users, MASTER_B: {"alice": ALICE}}
        self.acls = {MASTER_A: acls, MASTER_B: {"User:bob": RULES}}
        super().__init__(
            {
                GetUser: lambda address, header: _body(self.users[address].get(header.username)),
                ListUsers: lambda address, header: encode_list(self.users[address].values()),
                GetAcl: self._acl,
                ListAcls: lambda address, header: encode_list(self.acls[address].values()),
            }
        )

    def _acl(self, address: str, header: GetAcl) -> bytes | Exception:
        if header.subject == "User:nobody":
            return NoPermissionError("The subject is not exist.")
        return _body(self.acls[address].get(header.subject or ""))


def _body(value: UserInfo | AclInfo | None) -> bytes:
    return encode_body(value) if value is not None else b""


def test_one_broker_is_told() -> None:
    servers = FakeServers()
    rules = rules_for("User:bob", ["Topic:T", "Group:G"], ["Pub"], ["::1"], "Deny")
    assert rules == AclInfo(
        "User:bob",
        [PolicyInfo(None, [PolicyEntryInfo(name, ["Pub"], ["::1"], "Deny") for name in ("Topic:T", "Group:G")])],
    )
    operate(servers, lambda admin: create_user(admin, MASTER_A, ALICE))
    operate(servers, lambda admin: update_user(admin, MASTER_A, BOB))
    operate(servers, lambda admin: delete_user(admin, MASTER_A, "bob"))
    operate(servers, lambda admin: create_acl(admin, MASTER_A, rules))
    operate(servers, lambda admin: update_acl(admin, MASTER_A, rules))
    operate(servers, lambda admin: delete_acl(admin, MASTER_A, "User:bob"))
    operate(servers, lambda admin: delete_acl(admin, MASTER_A, "User:bob", ["Topic:T", "*"]))
    assert servers.calls == [
        (MASTER_A, CreateUser("alice"), ALICE),
        (MASTER_A, UpdateUser("bob"), BOB),
        (MASTER_A, DeleteUser("bob"), b""),
        (MASTER_A, CreateAcl("User:bob"), rules),
        (MASTER_A, UpdateAcl("User:bob"), rules),
        (MASTER_A, DeleteAcl("User:bob"), b""),
        (MASTER_A, DeleteAcl("User:bob", None, "Topic:T"), b""),
        (MASTER_A, DeleteAcl("User:bob", None, "*"), b""),
    ]


def test_one_broker_is_asked() -> None:
    servers = TwoBrokers({"bob": BOB}, {})
    assert operate(servers, lambda admin: get_user(admin, MASTER_A, "bob")) == BOB
    assert operate(servers, lambda admin: get_user(admin, MASTER_A, "alice")) is None
    assert operate(servers, lambda admin: list_users(admin, MASTER_A, "b")) == [BOB]
    assert operate(servers, lambda admin: get_acl(admin, MASTER_A, "User:bob")) is None
    assert operate(servers, lambda admin: get_acl(admin, MASTER_B, "User:bob")) == RULES
    assert operate(servers, lambda admin: list_acls(admin, MASTER_B, "bob", "T")) == [RULES]
    assert servers.sent(ListUsers) == [(MASTER_A, ListUsers("b"))]
    assert servers.sent(ListAcls) == [(MASTER_B, ListAcls("bob", "T"))]
    assert operate(FakeServers(), lambda admin: list_users(admin, MASTER_A)) == []
    with pytest.raises(InvalidFieldError):
        operate(FakeServers({ListUsers: b"{}"}), lambda admin: list_users(admin, MASTER_A))


def test_the_first_broker_that_has_it() -> None:
    servers = TwoBrokers({}, {})
    find = lambda admin: first_found([MASTER_A, MASTER_B], lambda address: get_user(admin, address, "alice"))
    assert operate(servers, find) == Found(MASTER_B, ALICE, [])
    servers.down.add(MASTER_A)
    found = operate(servers, find)
    assert (found.address, found.value, [type(failure) for failure in found.failures]) == (
        MASTER_B, ALICE, [ConnectFailedError],
    )  # fmt: skip
    servers.down.add(MASTER_B)
    found = operate(servers, find)
    assert (found.address, found.value, [failure.address for failure in found.failures]) == (
        "", None, [MASTER_A, MASTER_B],
    )  # fmt: skip


def test_all_users_are_copied() -> None:
    servers = TwoBrokers({"alice": ALICE, "bob": BOB}, {})
    done = operate(servers, lambda admin: copy_users(admin, MASTER_A, MASTER_B))
    assert done == [Copied("alice", None), Copied("bob", None)]
    assert [call for call in servers.calls if isinstance(call[1], CreateUser | UpdateUser)] == [
        (MASTER_B, UpdateUser("alice"), ALICE),
        (MASTER_B, CreateUser("bob"), BOB),
    ]


def test_some_users_are_copied() -> None:
    servers = TwoBrokers({"alice": ALICE, "bob": BOB}, {})
    servers.answers[CreateUser] = NoPermissionError("no")
    done = operate(servers, lambda admin: copy_users(admin, MASTER_A, MASTER_B, ["nobody", "bob", "alice"]))
    assert [(name, error and error.remark) for name, error in done] == [
        ("nobody", f"the user nobody does not exist on {MASTER_A}"),
        ("bob", "no"),
        ("alice", None),
    ]


def test_all_rules_are_copied() -> None:
    other = AclInfo("User:alice", RULES.policies)
    servers = TwoBrokers({}, {"User:alice": other, "User:bob": RULES})
    done = operate(servers, lambda admin: copy_acls(admin, MASTER_A, MASTER_B))
    assert done == [Copied("User:alice", None), Copied("User:bob", None)]
    assert [call for call in servers.calls if isinstance(call[1], CreateAcl | UpdateAcl)] == [
        (MASTER_B, CreateAcl("User:alice"), other),
        (MASTER_B, UpdateAcl("User:bob"), RULES),
    ]


def test_some_rules_are_copied() -> None:
    servers = TwoBrokers({}, {"User:bob": RULES})
    names = ["User:alice", "User:nobody", "User:bob"]
    done = operate(servers, lambda admin: copy_acls(admin, MASTER_A, MASTER_B, names))
    assert [(name, error and error.remark) for name, error in done] == [
        ("User:alice", f"{MASTER_A} has no rules for User:alice"),
        ("User:nobody", "The subject is not exist."),
        ("User:bob", None),
    ]


def test_a_source_that_is_down() -> None:
    servers = TwoBrokers({}, {})
    servers.down.add(MASTER_A)
    with pytest.raises(ConnectFailedError):
        operate(servers, lambda admin: copy_users(admin, MASTER_A, MASTER_B))
    (copied,) = operate(servers, lambda admin: copy_users(admin, MASTER_A, MASTER_B, ["bob"]))
    assert isinstance(copied.error, ConnectFailedError)
