"""Users and rules of a real broker; and what is said of brokers that check none, or know of none."""

import asyncio
import time

import pytest

from rmq.client.admin.auth import create_acl, create_user, rules_for
from rmq.testing.server import RocketMQ
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.rights import LiveRights, enforcement
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Rights
from rmq.tui.service.rights import answers, rules_of, users_of
from rmq.wire.bodies.auth import Action, UserInfo
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError
from rmq.wire.requests.auth import ListUsers
from rmq.wire.requests.broker import GetBrokerConfig
from tests.kit.adminfake import NOW, FakeServers, fake_admin


def test_users_and_rules_without_passwords() -> None:
    async def look(rocketmq: RocketMQ) -> None:
        service = LiveService([rocketmq.namesrv_addr], lambda: time.time_ns() // 1_000_000)
        admin, address = service._known.admin, rocketmq.broker_addr
        try:
            await create_user(admin, address, UserInfo("admin", "topsecret", "Super"))
            await create_user(admin, address, UserInfo("shop", "topsecret"))
            await create_acl(admin, address, rules_for("User:shop", ["Topic:Ord*"], ["Pub"], ["10.0.0.0/8"], "Allow"))
            await create_acl(admin, address, rules_for("User:shop", ["Topic:*"], ["All"], None, "Deny"))
            rights = await service.rights()
            assert isinstance(rights, Rights)
            assert "topsecret" not in repr(rights)
            broker = rights.brokers[0]
            assert all(user.password is None for user in broker.users.values())
            assert (broker.broker, broker.enforced) == ("broker-a", False)
            assert broker.note == "broker-a does not check access rights: everybody may do everything"
            users = users_of(rights)
            assert [(one.name, one.kind, one.status, one.rules) for one in users.values()] == [
                ("admin", "Super", "enable", 0),
                ("shop", "Normal", "enable", 2),
            ]
            assert [(one.resource, one.actions, one.sources, one.decision) for one in rules_of(rights, "shop")] == [
                ("Topic:Ord*", "Pub", "10.0.0.0/8", "Allow"),
                ("Topic:*", "All", "", "Deny"),
            ]
            told = answers(rights, "shop", Action.PUB, "Topic:Orders", "10.1.2.3")
            assert [(one.allowed, one.enforced) for one in told] == [(True, False)]
            elsewhere = answers(rights, "shop", Action.PUB, "Topic:Orders", "192.168.0.1")
            assert [one.why for one in elsewhere] == [
                "Custom rule: Deny All on Topic:*"
            ]
        finally:
            await service.close()

    with RocketMQ() as running:
        asyncio.run(look(running))


@pytest.mark.parametrize(
    ("error", "note", "failed"),
    [
        (
            RemotingError("request type 3005 not supported", ResponseCode.REQUEST_CODE_NOT_SUPPORTED),
            "broker-a is older than users and rules (RocketMQ 5.3)",
            False,
        ),
        (
            RemotingError("An system error occurred, please try again later.", ResponseCode.SYSTEM_ERROR),
            "broker-a does not check access rights: everybody may do everything; it keeps no users and rules",
            False,
        ),
        (
            RemotingError("not you", ResponseCode.NO_PERMISSION),
            "broker-a does not check access rights: everybody may do everything",
            True,
        ),
    ],
)
def test_brokers_that_do_not_list_users(error: RemotingError, note: str, failed: bool) -> None:
    class Asker(LiveRights):
        def __init__(self, known: Known) -> None:
            self._known = known

    async def look() -> Rights:
        servers = FakeServers({GetBrokerConfig: b"brokerName=broker-a\n", ListUsers: error})
        told = await Asker(Known(fake_admin(servers), lambda: NOW)).rights()
        assert isinstance(told, Rights)
        return told

    broker = asyncio.run(look()).brokers[0]
    assert (broker.note, broker.problem is not None) == (note, failed)


@pytest.mark.parametrize(
    ("settings", "enforced", "note"),
    [
        ({"authenticationEnabled": "true", "authorizationEnabled": "true"}, True, ""),
        (
            {"authenticationEnabled": "true"},
            False,
            "b checks who signs in, but no rules (authorizationEnabled is off): every user may do all",
        ),
        (
            {"authorizationEnabled": "true"},
            False,
            "b checks rules, but not who signs in (authenticationEnabled is off)",
        ),
        ({"aclEnable": "true"}, True, "b has access control of the old kind (aclEnable), whose rules it does not tell"),
    ],
)
def test_what_brokers_enforce(settings: dict[str, str], enforced: bool, note: str) -> None:
    assert enforcement("b", settings) == (enforced, note)
