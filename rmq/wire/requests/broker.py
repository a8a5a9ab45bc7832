"""Administration of a broker.

Source: GetBrokerConfigResponseHeader, ViewBrokerStatsDataRequestHeader, AdminBrokerProcessor.
"""

from __future__ import annotations

from rmq.wire.bodies.broker import BrokerStatsData, KVTable
from rmq.wire.bodies.rocksdb import CheckRocksdbCqWriteResult
from rmq.wire.bodies.topic import TopicList
from rmq.wire.declare import Int32, Int64, header, request, wire


@request(25, "UPDATE_BROKER_CONFIG", changes=True)
class UpdateBrokerConfig:
    """Changes settings; the body is properties text."""


@header
class GetBrokerConfigReply:
    """The DataVersion of the settings, as JSON text."""

    version: str


@request(26, "GET_BROKER_CONFIG", reply=GetBrokerConfigReply)
class GetBrokerConfig:
    """Asks for the settings; the answer's body is properties text."""


@request(28, "GET_BROKER_RUNTIME_INFO", reply_body=KVTable)
class GetBrokerRuntimeInfo:
    """Asks for rates, sizes and times of the running broker."""


@request(305, "GET_SYSTEM_TOPIC_LIST_FROM_BROKER", reply_body=TopicList)
class GetSystemTopicListFromBroker:
    """Asks for the broker's system topics."""


@request(306, "CLEAN_EXPIRED_CONSUMEQUEUE", changes=True)
class CleanExpiredConsumeQueue:
    """Removes consume queue files whose messages are gone."""


@request(315, "VIEW_BROKER_STATS_DATA", reply_body=BrokerStatsData)
class ViewBrokerStatsData:
    """Asks for one statistic, such as TOPIC_PUT_NUMS of a topic."""

    stats_name: str
    stats_key: str


@request(316, "CLEAN_UNUSED_TOPIC", changes=True)
class CleanUnusedTopic:
    """Removes consume queues of topics that do not exist any more."""


@request(329, "DELETE_EXPIRED_COMMITLOG", changes=True)
class DeleteExpiredCommitLog:
    """Lets the next clean rounds run at once."""


@request(354, "CHECK_ROCKSDB_CQ_WRITE_PROGRESS", reply_body=CheckRocksdbCqWriteResult)
class CheckRocksdbCqWriteProgress:
    """Asks whether RocksDB consume queues agree with the files."""

    topic: str
    check_store_time: Int64 = 0


@request(355, "EXPORT_ROCKSDB_CONFIG_TO_JSON", changes=True)
class ExportRocksdbConfigToJson:
    """Writes the RocksDB tables named in `config_type` (joined by `;`) as JSON files."""

    config_type: str


@request(2001, "UPDATE_COLD_DATA_FLOW_CTR_CONFIG", changes=True)
class UpdateColdDataFlowCtrConfig:
    """Limits how much old data groups may read; the body is properties text."""


@request(2002, "REMOVE_COLD_DATA_FLOW_CTR_CONFIG", changes=True)
class RemoveColdDataFlowCtrConfig:
    """Lifts a group's limit; the body is the group's name."""


@request(2003, "GET_COLD_DATA_FLOW_CTR_INFO")
class GetColdDataFlowCtrInfo:
    """Asks for the limits; the answer's body is JSON text."""


@request(2004, "SET_COMMITLOG_READ_MODE", changes=True)
class SetCommitLogReadMode:
    """Sets how the commit log is read ahead: 0 normal, 1 random."""

    mode: Int32 = wire("READ_AHEAD_MODE")


@request(5001, "SWITCH_TIMER_ENGINE", changes=True)
class SwitchTimerEngine:
    """Chooses the store behind timed messages: `R` RocksDB, `F` files."""

    engine_type: str = wire("E_T")
