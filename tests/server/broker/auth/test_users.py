"""The table of users and its file."""

from collections.abc import Callable

import pytest

from rmq.server.broker.auth import users
from rmq.server.broker.auth.users import UserTable
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.settings.broker import BrokerConfig
from rmq.wire.bodies.auth import UserInfo
from rmq.wire.errors import RemotingError
from tests.kit.logs import logged
from tests.kit.memory_files import MemoryFiles

ALICE = UserInfo("alice", "secret", "Super", "enable")


def table(files: MemoryFiles) -> UserTable:
    made = UserTable(ConfigFile("users.json", files, private=True))
    made.load()
    return made


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(RemotingError) as caught:
        call()
    return int(caught.value.code), caught.value.remark


def test_users_are_there_after_a_restart() -> None:
    files = MemoryFiles()
    made = table(files)
    made.create("alice", UserInfo("other", "secret", "super"))
    made.create("bob", UserInfo(password="p", user_status="DISABLE"))
    made.create("carol", UserInfo(password="x", user_type="Wrong", user_status="Wrong"))
    made.update("carol", UserInfo(password="y"))
    made.remove("nobody")
    bob, carol = UserInfo("bob", "p", "Normal", "disable"), UserInfo("carol", "y", "Normal", "enable")
    assert table(files).matching(None) == made.matching(None) == [ALICE, bob, carol]
    made.remove("bob")
    assert table(files).matching(" ") == [ALICE, carol]
    assert files.files["users.json"] == (
        b'{\n\t"users":{\n\t\t"alice":{\n\t\t\t"password":"secret",\n\t\t\t"userStatus":"enable",\n\t\t\t'
        b'"userType":"Super",\n\t\t\t"username":"alice"\n\t\t},\n\t\t"carol":{\n\t\t\t"password":"y",\n\t\t\t'
        b'"userStatus":"enable",\n\t\t\t"userType":"Normal",\n\t\t\t"username":"carol"\n\t\t}\n\t}\n}'
    )
    assert files.private == {"users.json"}


def test_a_file_without_users() -> None:
    files = MemoryFiles()
    made = table(files)
    made.create("a", UserInfo(password="p"))
    made.remove("a")
    assert table(files).matching(None) == []


def test_part_of_a_name() -> None:
    made = table(MemoryFiles())
    for name in ("bob", "Bob", "abbot"):
        made.create(name, UserInfo(password="p"))
    assert [user.username for user in made.matching("bo")] == ["abbot", "bob"]
    assert [user.username for user in made.matching("")] == ["Bob", "abbot", "bob"]
    assert made.matching("x") == []


def test_updates_change_what_they_say() -> None:
    made = table(MemoryFiles())
    made.create("alice", ALICE)
    made.update("alice", UserInfo(password=" ", user_type="nonsense", user_status="nonsense"))
    assert made.find("alice") == ALICE
    made.update("alice", UserInfo(user_type="normal", user_status="disable"))
    assert made.find("alice") == UserInfo("alice", "secret", "Normal", "disable")


def test_what_is_refused() -> None:
    made = table(MemoryFiles())
    made.create("alice", ALICE)
    assert refusal(lambda: made.create("alice", ALICE)) == (16, "The user is existed")
    assert refusal(lambda: made.create(" ", ALICE)) == (16, "username can not be blank")
    assert refusal(lambda: made.create("bob", UserInfo(password=" "))) == (16, "password can not be blank")
    assert refusal(lambda: made.create("bob", UserInfo())) == (16, "password can not be blank")
    assert refusal(lambda: made.update("bob", ALICE)) == (16, "The user is not exist")
    assert refusal(lambda: made.update("\t", ALICE)) == (16, "username can not be blank")
    assert refusal(lambda: made.is_super("bob")) == (16, "User:bob is not found")
    assert made.matching(None) == [ALICE]


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = table(MemoryFiles())
    made.create("n" * 255, UserInfo(password="p" * 1024))
    long_name = (29, "a username of 256 characters is longer than 255")
    assert refusal(lambda: made.create("n" * 256, ALICE)) == long_name
    long_password = (29, "a password is longer than 1024 characters")
    assert refusal(lambda: made.create("a", UserInfo(password="p" * 1025))) == long_password
    assert refusal(lambda: made.update("n" * 255, UserInfo(password="p" * 1025))) == long_password
    monkeypatch.setattr(users, "MAX_USERS", 2)
    made.create("second", ALICE)
    assert refusal(lambda: made.create("third", ALICE)) == (2, "this broker has 2 users and takes no more than 2")
    made.update("second", UserInfo(password="x"))
    assert len(made.matching(None)) == 2


def test_users_take_a_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    files = MemoryFiles()
    made = table(files)
    made.create("alice", ALICE)
    monkeypatch.setattr(users, "MAX_TOTAL", 200)
    full = (2, "this broker takes no more than 200 characters of users")
    assert refusal(lambda: made.create("bob", UserInfo(password="p" * 100))) == full
    assert refusal(lambda: made.update("alice", UserInfo(password="p" * 200))) == full
    assert table(files).matching(None) == made.matching(None) == [ALICE]
    monkeypatch.setattr(users, "MAX_TOTAL", 50)
    made.update("alice", UserInfo(password="short"))
    again = table(files)
    again.update("alice", UserInfo(password="s"))
    assert refusal(lambda: again.update("alice", UserInfo(password="longer"))) == (
        2, "this broker takes no more than 50 characters of users"
    )  # fmt: skip
    again.remove("alice")
    assert table(files).matching(None) == []


def test_a_full_disk_changes_nothing() -> None:
    files = MemoryFiles()
    made = table(files)
    made.create("alice", ALICE)
    files.refuse = OSError(28, "No space left on device")
    reason = (1, "the users cannot be written: [Errno 28] No space left on device")
    assert refusal(lambda: made.create("bob", ALICE)) == reason
    assert refusal(lambda: made.update("alice", UserInfo(password="x"))) == reason
    assert refusal(lambda: made.remove("alice")) == reason
    files.refuse = None
    assert made.matching(None) == [ALICE]
    made.create("carol", UserInfo(password="p"))
    assert [user.username for user in table(files).matching(None)] == ["alice", "carol"]


def test_the_configuration_names_users() -> None:
    files = MemoryFiles()
    broker = BrokerConfig(
        init_authentication_user='{"username":"admin","password":"a"}',
        inner_client_authentication_credentials='{"accessKey":"inner","secretKey":"i"}',
    )
    table(files).seed(broker)
    made = table(files)
    admin, inner = UserInfo("admin", "a", "Super", "enable"), UserInfo("inner", "i", "Super", "enable")
    assert made.matching(None) == [admin, inner]
    made.update("admin", UserInfo(password="changed", user_type="Normal"))
    made.seed(broker)
    assert made.matching(None) == [UserInfo("admin", "changed", "Normal", "enable"), inner]
    made.seed(BrokerConfig())
    assert len(made.matching(None)) == 2


def test_a_user_of_the_configuration_that_cannot_be_made_stops_the_start() -> None:
    files = MemoryFiles()
    files.refuse = OSError(28, "No space left on device")
    broker = BrokerConfig(init_authentication_user='{"username":"admin","password":"geheim"}')
    with pytest.raises(ConfigFileError, match=r"^the user admin cannot be made: the users cannot be written: "):
        table(files).seed(broker)


@pytest.mark.parametrize("content", [b'{"users":{"a":{"password":"geheim", x', b'{"users":{"a":"geheim"}}', b"[]"])
def test_a_damaged_file_stops_the_start_and_is_not_shown(content: bytes) -> None:
    with logged() as heard, pytest.raises(ConfigFileError) as caught:
        table(MemoryFiles({"users.json": content}))
    said = [str(caught.value), *heard]
    assert all("users.json: it is no JSON object of users" in line or "cannot be read" in line for line in said)
    assert not any("geheim" in line for line in said)
