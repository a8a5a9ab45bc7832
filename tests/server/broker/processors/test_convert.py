"""What this broker keeps is in the classic form already."""

from rmq.wire.codes import ResponseCode
from rmq.wire.requests.broker import ExportRocksdbConfigToJson
from rmq.wire.requests.pop import PopRollback
from tests.kit.broker import Bench


def test_tables_are_json_already(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(ExportRocksdbConfigToJson("topics;subscriptionGroups; consumerOffsets;")).code == 0
    answer = peer.ask(ExportRocksdbConfigToJson("topics;nothing"))
    assert (answer.code, answer.remark) == (ResponseCode.INVALID_PARAMETER, "Unknown config type: nothing")
    answer = peer.ask(ExportRocksdbConfigToJson("x" * 1000))
    assert answer.remark == f"Unknown config type: {'x' * 200}"


def test_pops_are_messages_already(bench: Bench) -> None:
    assert bench.peer().ask(PopRollback()).code == 0
