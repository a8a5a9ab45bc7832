"""Static topics are made, told, and go with their topic."""

from typing import Any

import pytest

from rmq.server.broker.meta import topics as topics_module
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper, TopicConfigAndQueueMapping
from rmq.wire.codes import ResponseCode
from rmq.wire.declare import decode_body, encode_body
from rmq.wire.requests.topic import DeleteTopicInBroker, GetAllTopicConfig, GetTopicConfig, UpdateAndCreateStaticTopic
from tests.kit.broker import Bench, ask_untold


def wanted(**fields: Any) -> UpdateAndCreateStaticTopic:
    values = {"topic": "T", "read_queue_nums": 2, "write_queue_nums": 2, **fields}
    return UpdateAndCreateStaticTopic(
        default_topic="TBW102", perm=6, topic_filter_type="SINGLE_TAG", order=False, **values
    )


def mapping(epoch: int = 5, broker: str = "broker-a", topic: str = "T") -> TopicQueueMappingDetail:
    hosted = {number: [Item(0, number, broker)] for number in range(2)}
    return TopicQueueMappingDetail(topic, total_queues=2, bname=broker, epoch=epoch, hosted_queues=hosted)


def make(bench: Bench, detail: TopicQueueMappingDetail | None = None, **fields: Any) -> tuple[int, str | None]:
    answer = bench.peer().ask(wanted(**fields), encode_body(detail or mapping()))
    return answer.code, answer.remark


def test_a_static_topic_is_made_and_told(bench: Bench) -> None:
    assert make(bench) == (0, None)
    for lo, detail in ((True, mapping()), (None, None)):
        answer = bench.peer().ask(GetTopicConfig("T", lo=lo))
        config = decode_body(TopicConfigAndQueueMapping, answer.body)
        assert (config.read_queue_nums, config.write_queue_nums, config.mapping_detail) == (2, 2, detail)
    table = decode_body(TopicConfigAndMappingSerializeWrapper, bench.peer().ask(GetAllTopicConfig()).body)
    assert table.topic_queue_mapping_detail_map == {"T": mapping()}
    assert table.mapping_data_version == bench.mappings.version
    assert bench.topics.wrapper().topic_queue_mapping_info_map["T"].curr_id_map == {0: 0, 1: 1}


def test_a_changed_mapping_is_registered_although_the_topic_is_the_same(bench: Bench) -> None:
    make(bench)
    version, told = bench.topics.version, bench.registrations
    assert make(bench, mapping(epoch=6)) == (0, None)
    assert bench.topics.version.counter == version.counter + 1
    assert bench.registrations == told + 1


def test_it_is_answered_when_name_servers_know_of_it(bench: Bench) -> None:
    assert ask_untold(bench, wanted(), mapping()).code == 0


def test_refusals_change_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make(bench, mapping(topic="U"))[1] == "the mapping is of topic U, not of T"
    assert make(bench, mapping(broker="x"))[0] == ResponseCode.INVALID_PARAMETER
    assert make(bench, read_queue_nums=-1)[0] == ResponseCode.INVALID_PARAMETER
    assert make(bench, topic="TBW102")[0] == ResponseCode.INVALID_PARAMETER
    monkeypatch.setattr(topics_module, "MAX_TOPICS", 1)
    assert make(bench)[0] == ResponseCode.SYSTEM_BUSY
    assert ("T" in bench.topics.configs, bench.mappings.details) == (False, {})


def test_an_older_plan_comes_too_late_unless_it_is_forced(bench: Bench) -> None:
    make(bench, mapping(epoch=6))
    assert make(bench) == (ResponseCode.SYSTEM_ERROR, "Can't accept data with small epoch 5 < 6")
    assert make(bench, force=True) == (0, None)


def test_a_mapping_goes_with_its_topic(bench: Bench) -> None:
    make(bench)
    assert bench.peer().ask(DeleteTopicInBroker("T")).code == 0
    assert bench.mappings.details == {}


def test_no_end_of_the_broker_leaves_a_mapping_without_its_topic(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(bench)
    written: list[str] = []
    keep = bench.files.replace

    def replace(path: str, content: bytes, *, private: bool = False) -> None:
        written.append(path.rpartition("/")[2])
        keep(path, content, private=private)

    monkeypatch.setattr(bench.files, "replace", replace)
    bench.peer().ask(DeleteTopicInBroker("T"))
    assert written == ["topicQueueMapping.json", "topics.json"]
