"""Files of definitions: what is written is read again, and what is none is said."""

import json

import pytest

from rmq.tui.service.changes.definitions import DefinitionError, Definitions, read, written
from rmq.tui.service.changes.topics import TopicDefinition

FIFO = TopicDefinition("Orders", 4, 8, 6, True, (("message.type", "FIFO"),), "MULTI_TAG", 1)
PLAIN = TopicDefinition("audit", 1, 1, 4)


@pytest.mark.parametrize("added_up", [False, True])
def test_what_is_written_is_read_again(added_up: bool) -> None:
    found = Definitions((FIFO, PLAIN), added_up)
    text = written(Definitions((PLAIN, FIFO), added_up), 1_700_000_000_000)
    assert read(text) == found
    assert json.loads(text)["topicConfigTable"]["Orders"] == {
        "topicName": "Orders",
        "readQueueNums": 4,
        "writeQueueNums": 8,
        "perm": 6,
        "topicFilterType": "MULTI_TAG",
        "topicSysFlag": 1,
        "order": True,
        "attributes": {"message.type": "FIFO"},
    }
    assert json.loads(text).get("exportTime") == (1_700_000_000_000 if added_up else None)


def test_the_tables_of_a_joined_export_are_one_level_deeper() -> None:
    text = json.dumps({"metadata": {"topicConfigTable": {"T": {"topicName": "T"}}, "exportTime": 1}})
    assert read(text) == Definitions((TopicDefinition("T", 16, 16),), True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no JSON: "),
        ("[]", "an object with topicConfigTable is expected"),
        ("{}", "topicConfigTable is not in it"),
        ('{"topicConfigTable": {}}', "it holds no topics"),
        ('{"topicConfigTable": {"T": {"topicName": "T", "perm": 9}}}', "T: the permission 9 is none"),
        ('{"topicConfigTable": {"T": {"topicName": "T", "readQueueNums": -1}}}', "T: 0 to 16384 queues are possible"),
        ('{"topicConfigTable": {"a b": {"topicName": "a b"}}}', "'a b' cannot be a topic's name"),
        ('{"topicConfigTable": {"T": {"topicName": "T", "perm": "x"}}}', ""),
    ],
)
def test_what_is_no_file_of_definitions(text: str, why: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    assert str(caught.value).startswith(why)
