"""What a declared request becomes on the wire, and what an answer is read as."""

import pytest

from rmq.remoting.calls import SUCCESS, Answer, accepted, request_command
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.version import DataVersion
from rmq.wire.command import Command
from rmq.wire.errors import InvalidFieldError, RemotingError, SystemBusyError
from rmq.wire.requests.kv import GetKVConfig, GetKVConfigReply, GetKVListByNamespace, PutKVConfig


def test_a_request_has_its_classes_code_and_fields() -> None:
    command = request_command(PutKVConfig("n", "k", "v"), b"body")
    assert (command.code, command.ext, command.body, command.flag) == (
        100,
        {"namespace": "n", "key": "k", "value": "v"},
        b"body",
        0,
    )
    assert request_command(GetKVConfig("n", "k"), oneway=True).is_oneway


def test_a_declared_body_is_sent_as_json() -> None:
    assert request_command(GetKVConfig("n", "k"), KVTable({"a": "b"})).body == b'{"table":{"a":"b"}}'


def test_an_answer_is_read_as_its_request_declares() -> None:
    answer = Answer(GetKVConfig, Command(0, {"value": "v"}, version=493), "h:1")
    assert answer.header == GetKVConfigReply("v")
    assert (answer.version, answer.address) == (493, "h:1")
    assert Answer(GetKVListByNamespace, Command(0, {}, b'{"table":{"a":"b"}}'), "h:1").json() == KVTable({"a": "b"})
    assert Answer(PutKVConfig, Command(0, {}, b'{"counter":3}'), "h:1").json(DataVersion) == DataVersion(0, 3, 0)


def test_an_answer_of_another_class_is_refused() -> None:
    with pytest.raises(InvalidFieldError):
        Answer(GetKVListByNamespace, Command(0, {}, b"[]"), "h:1").json()


def test_what_is_not_declared_cannot_be_read() -> None:
    answer = Answer(PutKVConfig, Command(0), "h:1")
    with pytest.raises(TypeError, match="PutKVConfig declares no reply header"):
        _ = answer.header
    with pytest.raises(TypeError, match="PutKVConfig declares no reply body"):
        answer.json()


def test_codes_become_errors() -> None:
    with pytest.raises(SystemBusyError) as busy:
        accepted(PutKVConfig("n", "k", "v"), Command(2, remark="later"), "h:1", SUCCESS)
    assert (busy.value.code, busy.value.remark, busy.value.address) == (2, "later", "h:1")
    with pytest.raises(RemotingError) as unknown:
        accepted(PutKVConfig("n", "k", "v"), Command(4711), "h:1", SUCCESS)
    assert unknown.value.code == 4711
