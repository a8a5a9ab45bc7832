"""Order configuration of topics."""

import pytest

from rmq.client.admin.order import delete_order_conf, order_conf, put_broker_order, put_order_conf
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import DeleteKVConfig, GetKVConfig, GetKVConfigReply, PutKVConfig
from tests.kit.adminfake import NAMESRV, FakeServers, Reply, operate

OTHER = "10.0.0.8:9876"


def test_read() -> None:
    servers = FakeServers({GetKVConfig: Reply(header=GetKVConfigReply("a:1;b:2"))})
    assert operate(servers, lambda admin: order_conf(admin, "T")) == "a:1;b:2"
    assert servers.sent(GetKVConfig) == [(NAMESRV, GetKVConfig("ORDER_TOPIC_CONFIG", "T"))]


def test_none_there() -> None:
    servers = FakeServers({GetKVConfig: QueryNotFoundError("No config item")})
    with pytest.raises(QueryNotFoundError):
        operate(servers, lambda admin: order_conf(admin, "T"))


def test_every_name_server_is_told_even_when_one_is_down() -> None:
    servers = FakeServers()
    servers.nameservers, servers.down = (NAMESRV, OTHER), {NAMESRV}
    with pytest.raises(ConnectFailedError) as raised:
        operate(servers, lambda admin: put_order_conf(admin, "T", "a:1"))
    assert raised.value.address == NAMESRV
    with pytest.raises(ConnectFailedError):
        operate(servers, lambda admin: delete_order_conf(admin, "T"))
    assert (OTHER, PutKVConfig("ORDER_TOPIC_CONFIG", "T", "a:1")) in servers.sent(PutKVConfig)
    assert (OTHER, DeleteKVConfig("ORDER_TOPIC_CONFIG", "T")) in servers.sent(DeleteKVConfig)


@pytest.mark.parametrize(("known", "stored"), [(None, "b:3"), ("", "b:3"), ("a:1;b:2;odd", "a:1;b:3")])
def test_one_brokers_part(known: str | None, stored: str) -> None:
    answer = QueryNotFoundError("none") if known is None else Reply(header=GetKVConfigReply(known))
    servers = FakeServers({GetKVConfig: answer})
    operate(servers, lambda admin: put_broker_order(admin, "T", "b", 3))
    assert servers.sent(PutKVConfig) == [(NAMESRV, PutKVConfig("ORDER_TOPIC_CONFIG", "T", stored))]
