"""A setting is changed and looked at."""

from typing import Any

import pytest

from rmq.client.admin.changing import change_broker_setting, change_namesrv_setting
from rmq.client.admin.errors import SettingIgnoredError
from rmq.client.admin.properties import parse_properties, properties_text
from rmq.wire.errors import NoPermissionError
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerConfigReply, UpdateBrokerConfig
from rmq.wire.requests.namesrv import GetNamesrvConfig, UpdateNamesrvConfig
from tests.kit.adminfake import MASTER_A, NAMESRV, FakeServers, Reply, operate


class Apache(FakeServers):
    """A server that takes the value of `size` when it is a number, and answers success to everything."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = {"size": "48", "flag": "true"}
        listing = lambda *_: Reply(properties_text(self.settings), GetBrokerConfigReply("{}"))
        self.answers[GetBrokerConfig] = self.answers[GetNamesrvConfig] = listing

    async def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Any:
        if isinstance(header, UpdateBrokerConfig | UpdateNamesrvConfig):
            for key, value in parse_properties(body.decode()).items():
                if value.isdigit() and key in self.settings:
                    self.settings[key] = str(int(value))
        return await super().call(address, header, body, **options)


@pytest.mark.parametrize("value", ["49", "049", "48", "048"])
def test_taken(value: str) -> None:
    servers = Apache()
    operate(servers, lambda admin: change_broker_setting(admin, MASTER_A, "size", value))
    assert servers.settings["size"] == value.lstrip("0")
    assert len(servers.sent(UpdateBrokerConfig)) == 1


def test_the_same_truth_in_other_letters_is_taken() -> None:
    operate(Apache(), lambda admin: change_namesrv_setting(admin, NAMESRV, "flag", "TRUE"))


def test_unreadable_value() -> None:
    with pytest.raises(SettingIgnoredError) as raised:
        operate(Apache(), lambda admin: change_broker_setting(admin, MASTER_A, "size", "abc"))
    assert raised.value.remark == (f"{MASTER_A} answered success but did not take size=abc: size is 48 as before")
    assert raised.value.shown == "48"


def test_unknown_key() -> None:
    with pytest.raises(SettingIgnoredError) as raised:
        operate(Apache(), lambda admin: change_namesrv_setting(admin, NAMESRV, "sise", "1"))
    assert raised.value.remark == (f"{NAMESRV} answered success but did not take sise=1: it knows no setting sise")


def test_refused() -> None:
    servers = Apache()
    servers.answers[UpdateBrokerConfig] = NoPermissionError("Can not update config in black list.")
    with pytest.raises(NoPermissionError):
        operate(servers, lambda admin: change_broker_setting(admin, MASTER_A, "brokerConfigPath", "1"))
