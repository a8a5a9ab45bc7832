"""Brokers that come, stay and go, and their write permission.

Source: DefaultRequestProcessor of the name server.
"""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.remoting.protocol import Connection
from rmq.server.namesrv import lookup
from rmq.server.namesrv.kv import ORDER_TOPIC_CONFIG, KvConfig
from rmq.server.namesrv.registration import Registration
from rmq.server.namesrv.routes import RouteTables
from rmq.settings.namesrv import NamesrvConfig
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.registration import RegisterBrokerBody, body_crc, decode_registration
from rmq.wire.bodies.route import BrokerMemberGroupReply
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import encode_body
from rmq.wire.errors import RemotingError
from rmq.wire.requests.namesrv import (
    AddWritePermOfBroker,
    AddWritePermReply,
    WipeWritePermOfBroker,
    WipeWritePermReply,
)
from rmq.wire.requests.registration import (
    BrokerHeartbeat,
    GetBrokerMemberGroup,
    QueryDataVersion,
    QueryDataVersionReply,
    RegisterBroker,
    RegisterBrokerReply,
    UnregisterBroker,
)

_ZLIB: Final = b"\x78"

log = Logger()


class BrokerProcessor:
    """Registration of brokers. A broker whose connection closes leaves the routes at once."""

    def __init__(self, tables: RouteTables, kv: KvConfig, config: NamesrvConfig) -> None:
        self._tables = tables
        self._kv = kv
        self._config = config
        self._watched: set[Connection] = set()

    @handles(RegisterBroker)
    def register(self, header: RegisterBroker, call: Call) -> Reply:
        """Takes the broker in; the reply brings the configuration of ordered topics."""
        if header.body_crc32 and body_crc(call.body) != header.body_crc32:
            log.warn("registration of {peer} refused: crc32 not match", peer=call.connection.address)
            raise RemotingError("crc32 not match")
        told = self._tables.register(_registration(header, call))
        self._watch(call.connection)
        table = self._kv.table(ORDER_TOPIC_CONFIG) if self._config.return_order_topic_config_to_broker else None
        body = encode_body(KVTable(table)) if table is not None else b""
        return Reply(RegisterBrokerReply(told.ha_address, told.master_address), body)

    def _watch(self, connection: Connection) -> None:
        if connection not in self._watched:
            self._watched.add(connection)
            connection.on_close(self._closed)

    def _closed(self, connection: Connection) -> None:
        self._watched.discard(connection)
        self._tables.peer_gone(connection)

    @handles(UnregisterBroker)
    def unregister(self, header: UnregisterBroker, _: Call) -> None:
        """Takes the broker out."""
        self._tables.unregister(header.cluster_name, header.broker_addr, header.broker_name, header.broker_id)

    @handles(BrokerHeartbeat)
    def heartbeat(self, header: BrokerHeartbeat, _: Call) -> None:
        """Notes that the broker is alive."""
        self._tables.heartbeat(header.cluster_name, header.broker_addr)

    @handles(QueryDataVersion)
    def query_data_version(self, header: QueryDataVersion, call: Call) -> Reply:
        """Whether a registration would bring anything new; a sign of life as well."""
        cluster, address = header.cluster_name, header.broker_addr
        changed = self._tables.is_version_changed(cluster, address, call.json(DataVersion))
        self._tables.heartbeat(cluster, address)
        known = self._tables.version_of(cluster, address)
        return Reply(QueryDataVersionReply(changed), encode_body(known) if known is not None else b"")

    @handles(GetBrokerMemberGroup)
    def member_group(self, header: GetBrokerMemberGroup, _: Call) -> BrokerMemberGroupReply:
        """The replicas of a broker name."""
        return BrokerMemberGroupReply(lookup.member_group(self._tables, header.cluster_name, header.broker_name))

    @handles(WipeWritePermOfBroker)
    def wipe_write_perm(self, header: WipeWritePermOfBroker, call: Call) -> WipeWritePermReply:
        """Takes the write permission from a broker's topics."""
        count = self._tables.wipe_write_perm(header.broker_name)
        log.info(
            "wiped write permission of broker {name!r:.80}, {count} topics, asked by {peer}",
            name=header.broker_name, count=count, peer=call.connection.address,
        )  # fmt: skip
        return WipeWritePermReply(count)

    @handles(AddWritePermOfBroker)
    def add_write_perm(self, header: AddWritePermOfBroker, call: Call) -> AddWritePermReply:
        """Gives it back."""
        count = self._tables.add_write_perm(header.broker_name)
        log.info(
            "added write permission of broker {name!r:.80}, {count} topics, asked by {peer}",
            name=header.broker_name, count=count, peer=call.connection.address,
        )  # fmt: skip
        return AddWritePermReply(count)


def _registration(header: RegisterBroker, call: Call) -> Registration:
    """What header and body say together; a broker may send no body at all."""
    body = RegisterBrokerBody()
    if call.body:
        # Brokers of 5.x that are told to compress do so and still write compressed=false.
        compressed = header.compressed or call.body.startswith(_ZLIB)
        body = decode_registration(call.body, compressed=compressed, version=call.command.version)
    wrapper = body.topic_config_serialize_wrapper
    return Registration(
        cluster=header.cluster_name,
        name=header.broker_name,
        broker_id=header.broker_id,
        address=header.broker_addr,
        ha_address=header.ha_server_addr,
        zone_name=header.zone_name,
        timeout_millis=header.heartbeat_timeout_millis,
        enable_acting_master=header.enable_acting_master,
        version=wrapper.data_version,
        topics=wrapper.topic_config_table,
        mappings=wrapper.topic_queue_mapping_info_map,
        filter_servers=body.filter_server_list,
        peer=call.connection,
    )
