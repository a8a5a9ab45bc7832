"""Users: what each command prints, sends and refuses."""

import json

import pytest

from rmq.admin.cli import main
from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.auth import UserInfo, encode_list
from rmq.wire.declare import encode_body
from rmq.wire.errors import NoPermissionError
from rmq.wire.requests.auth import CreateUser, DeleteUser, GetUser, ListUsers, UpdateUser
from tests.kit.adminfake import MASTER_A, MASTER_B, SLAVE_A, FakeServers, report, text

ALICE, BOB = UserInfo("alice", "secret", "Super", "enable"), UserInfo("bob", "pass", "Normal", "disable")
HEAD = "#UserName         #Password               #UserType               #UserStatus           \n"
ALICE_LINE = "alice             secret                  Super                   enable                \n"
BOB_LINE = "bob               pass                    Normal                  disable               \n"
HINT = "[error] Make sure the specified clusterName exists or the name server connected to is correct."


def members(user: UserInfo, broker: str) -> dict[str, object]:
    return {
        "address": broker, "username": user.username, "password": user.password, "userType": user.user_type,
        "userStatus": user.user_status,
    }  # fmt: skip


def test_a_user_is_made_on_one_broker() -> None:
    servers = FakeServers()
    made = report(servers, "createUser", "-b", f" {MASTER_A}", "-u", " alice ", "-p", "secret", "-t", "Super")
    assert made.render("text") == f"create user to {MASTER_A} success.\n"
    assert made.members == {"brokers": [MASTER_A]}
    assert servers.calls == [(MASTER_A, CreateUser("alice"), UserInfo("alice", "secret", "Super"))]


def test_a_user_is_made_on_every_broker_of_a_cluster() -> None:
    servers = FakeServers()
    assert text(servers, "createUser", "-c", "C1", "-u", "bob", "-p", "pass") == (
        f"create user to {MASTER_A} success.\ncreate user to {SLAVE_A} success.\ncreate user to {MASTER_B} success.\n"
    )
    assert servers.sent(CreateUser) == [(address, CreateUser("bob")) for address in (MASTER_A, SLAVE_A, MASTER_B)]


def test_a_broker_that_refuses_does_not_keep_the_others_from_it() -> None:
    servers = FakeServers({CreateUser: lambda address, header: _existed() if address == SLAVE_A else b""})
    made = report(servers, "createUser", "-c", "C1", "-u", "bob", "-p", "pass")
    assert made.render("text") == f"create user to {MASTER_A} success.\ncreate user to {MASTER_B} success.\n"
    assert made.members == {
        "brokers": [MASTER_A, MASTER_B],
        "errors": [{"code": 16, "address": SLAVE_A, "message": "The user is existed"}],
    }
    assert text(FakeServers({CreateUser: _existed()}), "createUser", "-b", MASTER_A, "-u", "bob", "-p", "pass") == ""


def _existed() -> NoPermissionError:
    return NoPermissionError("The user is existed")


@pytest.mark.parametrize(
    "words",
    [
        ("createUser", "-u", "a", "-p", "p"),
        ("updateUser", "-u", "a", "-p", "p"),
        ("deleteUser", "-u", "a"),
        ("getUser", "-u", "a"),
        ("listUser",),
    ],
)
def test_an_unknown_cluster(words: tuple[str, ...]) -> None:
    made = report(FakeServers(), *words, "-c", "nope")
    assert made.render("text") == HINT
    assert [failure.remark for failure in made.failures] == ["the cluster nope does not exist"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("-p", "x"), UserInfo("bob", "x")),
        (("-t", "super"), UserInfo("bob", None, "super")),
        (("-s", "disable"), UserInfo("bob", None, None, "disable")),
    ],
)
def test_a_user_is_changed(words: tuple[str, ...], wanted: UserInfo) -> None:
    servers = FakeServers()
    assert text(servers, "updateUser", "-b", MASTER_A, "-u", "bob", *words) == f"update user to {MASTER_A} success.\n"
    assert servers.calls == [(MASTER_A, UpdateUser("bob"), wanted)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("-p", " "), "the password is empty"),
        (("-t", "Root"), "the type is Super or Normal, not Root"),
        (("-s", "off"), "the status is enable or disable, not off"),
    ],
)
def test_changes_that_mean_nothing(words: tuple[str, ...], reason: str) -> None:
    servers = FakeServers()
    with pytest.raises(CommandLineError, match=f"^{reason}$"):
        text(servers, "updateUser", "-b", MASTER_A, "-u", "bob", *words)
    assert servers.calls == []


def test_a_user_is_removed() -> None:
    servers = FakeServers()
    made = report(servers, "deleteUser", "-b", MASTER_A, "-u", "bob")
    assert (made.render("text"), made.members) == (f"delete user to {MASTER_A} success.\n", {"brokers": [MASTER_A]})
    assert servers.calls == [(MASTER_A, DeleteUser("bob"), b"")]


def test_one_user() -> None:
    made = report(FakeServers({GetUser: encode_body(ALICE)}), "getUser", "-b", MASTER_A, "-u", "alice")
    assert made.render("text") == HEAD + ALICE_LINE
    assert made.members == {"users": [members(ALICE, MASTER_A)]}
    assert made.render("csv") == (
        f"address,username,password,userType,userStatus\n{MASTER_A},alice,secret,Super,enable\n"
    )


def test_members_that_a_broker_does_not_tell() -> None:
    servers = FakeServers({GetUser: encode_body(UserInfo("alice"))})
    assert text(servers, "getUser", "-b", MASTER_A, "-u", "alice") == (
        HEAD + "alice             null                    null                    null                  \n"
    )


def test_the_first_master_that_has_the_user() -> None:
    servers = FakeServers({GetUser: lambda address, header: encode_body(BOB) if address == MASTER_B else b""})
    made = report(servers, "getUser", "-c", "C1", "-u", "bob")
    assert (made.render("text"), made.members) == (HEAD + BOB_LINE, {"users": [members(BOB, MASTER_B)]})
    assert [address for address, _ in servers.sent(GetUser)] == [MASTER_A, MASTER_B]
    servers.down.add(MASTER_A)
    made = report(servers, "getUser", "-c", "C1", "-u", "bob")
    assert made.render("text") == HEAD + BOB_LINE
    assert [failure.address for failure in made.failures] == [MASTER_A]


def test_a_user_that_nobody_has() -> None:
    made = report(FakeServers(), "getUser", "-c", "C1", "-u", "nobody")
    assert (made.render("text"), made.members["users"]) == ("", [])
    assert [failure.remark for failure in made.failures] == [
        f"the user nobody does not exist on {MASTER_A}, {MASTER_B}"
    ]
    assert made.render("csv") == "address,username,password,userType,userStatus\n"
    with pytest.raises(CommandLineError, match=r"^-u is missing$"):
        text(FakeServers(), "getUser", "-b", MASTER_A)


def test_all_users() -> None:
    servers = FakeServers({ListUsers: encode_list([ALICE, BOB])})
    made = report(servers, "listUser", "-b", MASTER_A)
    assert made.render("text") == HEAD + ALICE_LINE + BOB_LINE
    assert made.members == {"users": [members(ALICE, MASTER_A), members(BOB, MASTER_A)]}
    text(servers, "listUser", "-b", MASTER_A, "-f", "a")
    assert servers.sent(ListUsers) == [(MASTER_A, ListUsers()), (MASTER_A, ListUsers("a"))]


def test_users_of_the_first_master_that_has_any() -> None:
    servers = FakeServers({ListUsers: lambda address, header: encode_list([BOB]) if address == MASTER_B else b""})
    assert text(servers, "listUser", "-c", "C1") == f"{HEAD}{BOB_LINE}get user from {MASTER_B} success.\n"


def test_no_users() -> None:
    made = report(FakeServers(), "listUser", "-c", "C1")
    assert (made.render("text"), made.members, made.failures) == ("", {"users": []}, [])


def test_users_are_copied() -> None:
    servers = FakeServers({
        ListUsers: encode_list([ALICE, BOB]),
        GetUser: lambda address, header: encode_body(ALICE) if header.username == "alice" else b"",
    })  # fmt: skip
    made = report(servers, "copyUser", "-f", MASTER_A, "-t", MASTER_B)
    assert made.render("text") == (
        f"copy user of alice from {MASTER_A} to {MASTER_B} success.\n"
        f"copy user of bob from {MASTER_A} to {MASTER_B} success.\n"
    )
    assert made.members == {"copied": ["alice", "bob"]}
    assert [call for call in servers.calls if call[2]] == [
        (MASTER_B, UpdateUser("alice"), ALICE),
        (MASTER_B, CreateUser("bob"), BOB),
    ]


def test_users_that_cannot_be_copied() -> None:
    servers = FakeServers({GetUser: lambda address, header: encode_body(ALICE) if header.username == "alice" else b""})
    made = report(servers, "copyUser", "-f", MASTER_A, "-t", MASTER_B, "-u", "nobody, alice,")
    assert made.render("text") == f"copy user of alice from {MASTER_A} to {MASTER_B} success.\n"
    assert [failure.remark for failure in made.failures] == [f"the user nobody does not exist on {MASTER_A}"]


def test_a_password_is_in_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["createUser", "-b", "127.0.0.1:1", "-u", "bob", "-p", "geheim", "--debug"]
    assert main(words) == 1
    captured = capsys.readouterr()
    assert "connect to 127.0.0.1:1 failed" in captured.err
    assert "geheim" not in captured.out + captured.err


def test_a_password_is_not_in_a_dry_run(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-b", "127.0.0.1:1", "-u", "bob", "-p", "geheim", "--dry-run"]
    for command in ("createUser", "updateUser"):
        main([command, *words])
        captured = capsys.readouterr()
        assert "bob" in captured.out
        assert "geheim" not in captured.out + captured.err
        main([command, *words, "--format", "json"])
        captured = capsys.readouterr()
        assert json.loads(captured.out)
        assert "geheim" not in captured.out + captured.err
