"""Changing a running server's settings: all or nothing, and when it takes effect."""

from __future__ import annotations

import pytest

from rmq.settings.dump import listing
from rmq.settings.errors import ForbiddenKeyError, SettingError, UnknownKeyError
from rmq.settings.load import load_broker, load_namesrv
from rmq.settings.update import Change, Effect, black_list, persist, update


def test_effects() -> None:
    settings = load_broker("listenPort=10911").settings
    changes = update(settings, "brokerPermission=4\nlistenPort=20911\npopPollingMapSize=7\n")
    assert changes == (
        Change("brokerPermission", 6, 4, Effect.NOW),
        Change("listenPort", 10911, 20911, Effect.RESTART),
        Change("popPollingMapSize", 100000, 7, Effect.NONE),
    )
    assert [str(change) for change in changes] == [
        "brokerPermission: 6 -> 4, in effect now.",
        "listenPort: 10911 -> 20911, in effect after a restart.",
        "popPollingMapSize: 100000 -> 7, in effect never, the key is accepted and ignored.",
    ]
    assert settings.broker.broker_permission == 4
    assert settings.server.listen_port == 10911, "nothing moves under a running server"
    shown = listing(settings)
    assert (shown["brokerPermission"], shown["listenPort"], shown["popPollingMapSize"]) == ("4", "20911", "7")
    assert settings.revision == 1


def test_setting_back_cancels_a_pending_change() -> None:
    settings = load_broker().settings
    update(settings, "listenPort=20911")
    update(settings, "listenPort=10911")
    assert settings.pending == {}
    assert listing(settings)["listenPort"] == "10911"


def test_persist_writes_what_a_restart_reads() -> None:
    settings = load_broker("brokerName=b", file="/etc/broker.conf").settings
    update(settings, "listenPort=20911\nfileReservedTime=1")
    written: dict[str, bytes] = {}
    persist(settings, written.__setitem__)
    assert list(written) == ["/etc/broker.conf"]
    again = load_broker(written["/etc/broker.conf"].decode("ascii"), file="/etc/broker.conf")
    assert again.settings.server.listen_port == 20911
    assert again.settings.store.file_reserved_time == 1
    assert again.settings.broker.broker_name == "b"
    assert again.warnings == ()


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("brokerPermission=5", SettingError,
         "update request, line 1: brokerPermission=5 is not allowed; brokerPermission must be 0, 2, 4 or 6."),
        ("brokerPermision=4", UnknownKeyError,
         "update request, line 1: brokerPermision is unknown and has no effect; did you mean brokerPermission?"),
        ("rocketmqHome=/x", ForbiddenKeyError, "Can not update config in black list."),
        ("configBlackList=", ForbiddenKeyError, "Can not update config in black list."),
        *((f"{key}=true", SettingError,
           f"update request, line 1: {key}=true is not allowed; {key} must be false, because access rights are "
           "not checked, so that the broker would run open to everybody; set it to false to accept that.")
          for key in ("aclEnable", "authenticationEnabled", "authorizationEnabled")),
        ("initAuthenticationUser=geheim", SettingError,
         "update request, line 1: initAuthenticationUser=****** is not allowed; initAuthenticationUser must be an "
         'object such as {"username":"admin","password":"..."}, of 255 and 1024 characters at most.'),
    ],
)  # fmt: skip
def test_one_bad_key_changes_nothing(text: str, kind: type[SettingError], sentence: str) -> None:
    settings = load_broker().settings
    before = listing(settings)
    with pytest.raises(kind) as caught:
        update(settings, f"{text}\nfileReservedTime=1")
    assert str(caught.value) == sentence
    with pytest.raises(kind):
        update(settings, f"fileReservedTime=1\n{text}")
    assert listing(settings) == before
    assert settings.revision == 0


def test_black_lists() -> None:
    assert black_list(load_broker().settings) == {"brokerConfigPath", "rocketmqHome", "configBlackList"}
    assert black_list(load_broker("configBlackList=listenPort; brokerName").settings) == {
        "brokerConfigPath", "rocketmqHome", "configBlackList", "listenPort", "brokerName",
    }  # fmt: skip
    assert black_list(load_namesrv().settings) == {
        "configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome",
    }  # fmt: skip


def test_a_text_has_a_bound() -> None:
    settings = load_broker().settings
    with pytest.raises(SettingError, match=r"^update request: 275000 characters are more than 262144\.$"):
        update(settings, "brokerPermission=4\nfoo=1\n" * 11_000)
    assert settings.broker.broker_permission == 6


def test_a_name_server_changes_too() -> None:
    settings = load_namesrv(file="/etc/ns.conf").settings
    assert update(settings, "enableTopicList=false") == (Change("enableTopicList", True, False, Effect.NOW),)
    assert settings.namesrv.enable_topic_list is False


def test_secrets_are_not_told() -> None:
    settings = load_broker('initAuthenticationUser={"username":"admin","password":"geheim"}').settings
    (change,) = update(settings, 'initAuthenticationUser={"username":"admin","password":"secret"}')
    assert str(change) == "initAuthenticationUser: ******, in effect after a restart."
    assert settings.broker.init_authentication_user == '{"username":"admin","password":"geheim"}'
    written: dict[str, bytes] = {}
    persist(settings, written.__setitem__)
    (content,) = written.values()
    assert load_broker(content.decode("ascii")).settings.broker.init_authentication_user == (
        '{"username":"admin","password":"secret"}'
    )


@pytest.mark.parametrize("key", ["aclEnable", "authenticationEnabled", "authorizationEnabled"])
def test_a_name_server_is_not_protected_either(key: str) -> None:
    settings = load_namesrv().settings
    with pytest.raises(SettingError, match=f"line 1: {key}=true is not allowed"):
        update(settings, f"{key}=true")
    update(settings, f"{key}=false")
    assert key not in listing(settings)
