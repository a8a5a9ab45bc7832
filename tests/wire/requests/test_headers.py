"""Every declared header against the fields of Apache's class of 5.4.0, which were read from its jar by reflection."""

from pathlib import Path
from typing import Any

import pytest

from rmq.wire.declare import REQUESTS, Int32, Int64, header_fields
from rmq.wire.requests import load_all

load_all()

APACHE = {
    name: dict(field.split(":") for field in fields)
    for name, *fields in map(str.split, Path(__file__).with_name("apache_headers.txt").read_text().splitlines())
}
"""Class name to wire name to type, with `!` where Apache marks the field as not null."""

REQUEST_CLASSES = {
    10: "SendMessageRequestHeader",
    11: "PullMessageRequestHeader",
    12: "QueryMessageRequestHeader",
    14: "QueryConsumerOffsetRequestHeader",
    15: "UpdateConsumerOffsetRequestHeader",
    17: "CreateTopicRequestHeader",
    21: "GetAllTopicConfigRequestHeader",
    29: "SearchOffsetRequestHeader",
    30: "GetMaxOffsetRequestHeader",
    31: "GetMinOffsetRequestHeader",
    32: "GetEarliestMsgStoretimeRequestHeader",
    33: "ViewMessageRequestHeader",
    35: "UnregisterClientRequestHeader",
    36: "ConsumerSendMsgBackRequestHeader",
    37: "EndTransactionRequestHeader",
    38: "GetConsumerListByGroupRequestHeader",
    39: "CheckTransactionStateRequestHeader",
    40: "NotifyConsumerIdsChangedRequestHeader",
    100: "PutKVConfigRequestHeader",
    101: "GetKVConfigRequestHeader",
    102: "DeleteKVConfigRequestHeader",
    103: "RegisterBrokerRequestHeader",
    104: "UnRegisterBrokerRequestHeader",
    105: "GetRouteInfoRequestHeader",
    201: "GetAllSubscriptionGroupRequestHeader",
    202: "GetTopicStatsInfoRequestHeader",
    203: "GetConsumerConnectionListRequestHeader",
    204: "GetProducerConnectionListRequestHeader",
    205: "WipeWritePermOfBrokerRequestHeader",
    207: "DeleteSubscriptionGroupRequestHeader",
    208: "GetConsumeStatsRequestHeader",
    215: "DeleteTopicRequestHeader",
    216: "DeleteTopicFromNamesrvRequestHeader",
    217: "RegisterTopicRequestHeader",
    219: "GetKVListByNamespaceRequestHeader",
    220: "ResetOffsetRequestHeader",
    221: "GetConsumerStatusRequestHeader",
    222: "ResetOffsetRequestHeader",
    223: "GetConsumerStatusRequestHeader",
    224: "GetTopicsByClusterRequestHeader",
    300: "QueryTopicConsumeByWhoRequestHeader",
    303: "QueryConsumeTimeSpanRequestHeader",
    307: "GetConsumerRunningInfoRequestHeader",
    308: "QueryCorrectionOffsetHeader",
    309: "ConsumeMessageDirectlyResultRequestHeader",
    310: "SendMessageRequestHeaderV2",
    314: "CloneGroupOffsetRequestHeader",
    315: "ViewBrokerStatsDataRequestHeader",
    317: "GetConsumeStatsInBrokerHeader",
    320: "SendMessageRequestHeaderV2",
    321: "QueryConsumeQueueRequestHeader",
    322: "QueryDataVersionRequestHeader",
    323: "ResumeCheckHalfMessageRequestHeader",
    324: "SendMessageRequestHeader",
    325: "SendMessageRequestHeaderV2",
    326: "ReplyMessageRequestHeader",
    327: "AddWritePermOfBrokerRequestHeader",
    343: "QueryTopicsByConsumerRequestHeader",
    345: "QuerySubscriptionByConsumerRequestHeader",
    351: "GetTopicConfigRequestHeader",
    352: "GetSubscriptionGroupConfigRequestHeader",
    353: "UpdateGroupForbiddenRequestHeader",
    354: "CheckRocksdbCqWriteProgressRequestHeader",
    355: "ExportRocksDBConfigToJsonRequestHeader",
    361: "PullMessageRequestHeader",
    370: "RecallMessageRequestHeader",
    513: "CreateTopicRequestHeader",
    901: "GetBrokerMemberGroupRequestHeader",
    902: "AddBrokerRequestHeader",
    903: "RemoveBrokerRequestHeader",
    904: "BrokerHeartbeatRequestHeader",
    905: "NotifyMinBrokerIdChangeRequestHeader",
    906: "ExchangeHAInfoRequestHeader",
    908: "ResetMasterFlushOffsetHeader",
    1002: "ElectMasterRequestHeader",
    1011: "CleanControllerBrokerDataRequestHeader",
    3001: "CreateUserRequestHeader",
    3002: "UpdateUserRequestHeader",
    3003: "DeleteUserRequestHeader",
    3004: "GetUserRequestHeader",
    3005: "ListUsersRequestHeader",
    3006: "CreateAclRequestHeader",
    3007: "UpdateAclRequestHeader",
    3008: "DeleteAclRequestHeader",
    3009: "GetAclRequestHeader",
    3010: "ListAclsRequestHeader",
    200050: "PopMessageRequestHeader",
    200051: "AckMessageRequestHeader",
    200052: "PeekMessageRequestHeader",
    200053: "ChangeInvisibleTimeRequestHeader",
    200054: "NotificationRequestHeader",
    200055: "PollingInfoRequestHeader",
}

BY_EXTENSION = {
    2004: {"READ_AHEAD_MODE"},
    5001: {"E_T"},
}
"""Fields that Apache puts into the extension map by hand, without a header class."""

ADDED = {
    11: {"bname", "lo"},
    12: {"_UNIQUE_KEY_QUERY"},
    37: {"bname"},
    14: {"lo"},
    15: {"lo"},
    29: {"lo"},
    30: {"lo"},
    31: {"lo"},
    32: {"lo"},
    39: {"bname"},
    103: {"__ZONE_NAME"},
    351: {"lo"},
    361: {"bname", "lo"},
}
"""Fields of ours that Apache inherits or puts into the extension map by hand."""

LENIENT = {
    17: {"order"},
    21: {"topicSeq"},
    201: {"groupSeq"},
    220: {"isForce"},
    222: {"isForce"},
    317: {"isOrder"},
    513: {"order"},
}
"""Not null in Apache's class, yet some caller leaves it out or Apache has a default."""

REPLY_CLASSES = {
    10: "SendMessageResponseHeader",
    11: "PullMessageResponseHeader",
    12: "QueryMessageResponseHeader",
    14: "QueryConsumerOffsetResponseHeader",
    26: "GetBrokerConfigResponseHeader",
    29: "SearchOffsetResponseHeader",
    30: "GetMaxOffsetResponseHeader",
    31: "GetMinOffsetResponseHeader",
    32: "GetEarliestMsgStoretimeResponseHeader",
    101: "GetKVConfigResponseHeader",
    103: "RegisterBrokerResponseHeader",
    205: "WipeWritePermOfBrokerResponseHeader",
    310: "SendMessageResponseHeader",
    320: "SendMessageResponseHeader",
    322: "QueryDataVersionResponseHeader",
    324: "SendMessageResponseHeader",
    325: "SendMessageResponseHeader",
    327: "AddWritePermOfBrokerResponseHeader",
    361: "PullMessageResponseHeader",
    370: "RecallMessageResponseHeader",
    906: "ExchangeHAInfoResponseHeader",
    1002: "ElectMasterResponseHeader",
    1005: "GetMetaDataResponseHeader",
    200050: "PopMessageResponseHeader",
    200052: "PopMessageResponseHeader",
    200053: "ChangeInvisibleTimeResponseHeader",
    200054: "NotificationResponseHeader",
    200055: "PollingInfoResponseHeader",
}

LENIENT_REPLIES = {
    21: ("GetAllTopicConfigResponseHeader", {"totalTopicNum": "int"}),
    201: ("GetAllSubscriptionGroupResponseHeader", {"totalGroupNum": "int"}),
}
"""Brokers before 5.3 answer without these."""

_TYPE_NAMES: dict[Any, str] = {str: "string", bool: "boolean", Int32: "int", Int64: "long"}


def declared(cls: type[Any]) -> dict[str, str]:
    """A header class in the form of `APACHE`."""
    return {f.name: _TYPE_NAMES[f.type] + ("!" if f.required else "") for f in header_fields(cls)}


def bare(fields: dict[str, str], names: set[str]) -> dict[str, str]:
    """The fields, those of these names without the mark."""
    return {name: kind.rstrip("!") if name in names else kind for name, kind in fields.items()}


@pytest.mark.parametrize("code", sorted(REQUEST_CLASSES))
def test_a_request_has_apaches_fields(code: int) -> None:
    ours = {name: kind for name, kind in declared(REQUESTS[code].header).items() if name not in ADDED.get(code, set())}
    assert ours == bare(APACHE[REQUEST_CLASSES[code]], LENIENT.get(code, set()))


@pytest.mark.parametrize("code", sorted(ADDED))
def test_added_fields_are_optional(code: int) -> None:
    fields = declared(REQUESTS[code].header)
    assert {name: fields[name] for name in ADDED[code]} == {
        name: "boolean" if name in {"_UNIQUE_KEY_QUERY", "lo"} else "string" for name in ADDED[code]
    }


@pytest.mark.parametrize("code", sorted(set(REQUESTS) - set(REQUEST_CLASSES)))
def test_the_other_requests_have_no_fields_but_extensions(code: int) -> None:
    assert set(declared(REQUESTS[code].header)) == BY_EXTENSION.get(code, set())


@pytest.mark.parametrize("code", sorted(REPLY_CLASSES))
def test_a_reply_has_apaches_fields(code: int) -> None:
    reply = REQUESTS[code].reply
    assert reply is not None
    assert declared(reply) == APACHE[REPLY_CLASSES[code]]


@pytest.mark.parametrize("code", sorted(LENIENT_REPLIES))
def test_a_newer_reply_field_may_be_absent(code: int) -> None:
    name, fields = LENIENT_REPLIES[code]
    reply = REQUESTS[code].reply
    assert reply is not None
    assert declared(reply) == fields == bare(APACHE[name], set(fields))


def test_no_other_request_has_a_reply_header() -> None:
    with_reply = {code for code, spec in REQUESTS.items() if spec.reply is not None}
    assert with_reply == set(REPLY_CLASSES) | set(LENIENT_REPLIES) | {34}


def test_the_heartbeats_reply_tells_of_fingerprints_by_apaches_names() -> None:
    reply = REQUESTS[34].reply
    assert reply is not None
    assert declared(reply) == {"IS_SUPPORT_HEART_BEAT_V2": "boolean", "IS_SUB_CHANGE": "boolean"}
