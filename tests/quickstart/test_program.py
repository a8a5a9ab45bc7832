"""Command lines, exit codes and printed lines of the quickstart programs, without servers."""

import argparse
from typing import Any

import orjson
import pytest
from twisted.logger import Logger

from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.message import MessageExt
from rmq.quickstart import consumer, producer
from rmq.quickstart.program import run_program
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.message import decode_message
from tests.kit.cluster import MemoryCluster
from tests.kit.ports import free_port


@pytest.mark.parametrize(
    ("program", "words", "text"),
    [
        (producer, ["-c", "0"], "argument -c/--count: a number above 0 is expected, not '0'"),
        (producer, ["-c", "many"], "a number above 0 is expected, not 'many'"),
        (producer, ["--rate", "inf"], "a number above 0 is expected, not 'inf'"),
        (producer, ["-t", "../x"], "contains illegal characters"),
        (producer, ["-g", "a b"], "contains illegal characters"),
        (producer, ["-n", "nowhere"], "The Name Server Address[nowhere] illegal"),
        (producer, ["--body", ""], "a message needs a body"),
        (producer, ["--nonsense"], "unrecognized arguments: --nonsense"),
        (consumer, ["--timeout", "-1"], "a number above 0 is expected, not '-1'"),
        (consumer, ["extra"], "unrecognized arguments: extra"),
    ],
)
def test_wrong_usage(program: Any, words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 2
    assert text in capsys.readouterr().err


def test_wrong_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NAMESRV_ADDR", "nowhere")
    assert producer.main(["-c", "1"]) == 2
    assert "The Name Server Address[nowhere] illegal" in capsys.readouterr().err


@pytest.mark.parametrize("program", [producer, consumer])
def test_help(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["-h"]) == 0
    assert "--namesrvAddr" in capsys.readouterr().out


def test_defaults_are_those_of_apaches_programs() -> None:
    sends = producer._options([])
    assert (sends.group, sends.topic, sends.tag, sends.count) == (
        "please_rename_unique_group_name",
        "TopicTest",
        "TagA",
        1000,
    )
    assert (sends.key, sends.rate, sends.json, sends.namesrv_addr) == (None, None, False, None)
    message = producer._message(sends, 7)
    assert (message.topic, message.body, message.tags, message.keys) == ("TopicTest", b"Hello RocketMQ 7", "TagA", None)
    receives = consumer._options([])
    assert (receives.group, receives.topic, receives.tag) == ("please_rename_unique_group_name_4", "TopicTest", "*")
    assert (receives.count, receives.timeout) == (None, None)


def test_options_of_a_message() -> None:
    options = producer._options(["-t", "T", "--body", "{i} of {i}", "--key", "k-{i}", "--tag", ""])
    message = producer._message(options, 3)
    assert (message.topic, message.body, message.tags, message.keys) == ("T", b"3 of 3", None, "k-3")


def test_no_name_server(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    assert producer.main(["-c", "1", "-n", address]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ConnectFailedError: connect to {address} failed")


def test_warnings_are_shown_as_long_as_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    log = Logger("of.the.client")

    async def warns(reactor: object, options: object) -> int:
        log.warn("the route is gone")
        log.info("the route is back")
        return 0

    assert run_program(lambda: argparse.Namespace(namesrv_addr="127.0.0.1:1"), warns) == 0
    log.warn("nobody hears this")
    err = capsys.readouterr().err
    assert err.endswith("[of.the.client#warn] the route is gone\n")
    assert err.count("\n") == 1


def received(body: bytes = b"x") -> MessageExt:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster._append(queue, body, "TAGS\x01A\x02KEYS\x01k\x02")
    return MessageExt(decode_message(cluster.queues[queue].records[0]), "broker-a")


def printer(*words: str) -> consumer._Printer:
    return consumer._Printer(consumer._options(list(words)))


def test_printed_line(capsys: pytest.CaptureFixture[str]) -> None:
    made = printer("-g", "G" * 110, "-c", "2")
    message, context = received(), ConsumeContext(MessageQueue("T", "broker-a", 0), 7)
    assert made.consume([message], context) is ConsumeStatus.CONSUME_SUCCESS
    assert capsys.readouterr().out == f"ConsumeMessageThread_{'G' * 100}_7 Receive New Messages: [{message}] \n"
    assert not made.enough.called
    made.consume([message], context)
    assert made.enough.called


@pytest.mark.parametrize(("body", "shown"), [("é✓".encode(), {"body": "é✓"}), (b"\xff\x00", {"bodyBase64": "/wA="})])
def test_json_line(body: bytes, shown: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    made = printer("--json")
    message = received(body)
    made.consume([message], ConsumeContext(MessageQueue("T", "broker-a", 0), 1))
    line = orjson.loads(capsys.readouterr().out)
    assert line == {
        "topic": "T",
        "brokerName": "broker-a",
        "queueId": 0,
        "queueOffset": 0,
        "msgId": message.msg_id,
        "offsetMsgId": message.offset_msg_id,
        "tags": "A",
        "keys": "k",
        "properties": {"TAGS": "A", "KEYS": "k"},
        "reconsumeTimes": 0,
        "bornTimestamp": message.born_timestamp,
        "storeTimestamp": message.store_timestamp,
        **shown,
    }


def test_output_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is not done with, and the program ends."""
    made = printer("--json")

    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    errors: list[Any] = []
    made.enough.addErrback(errors.append)
    context = ConsumeContext(MessageQueue("T", "broker-a", 0), 1)
    assert [made.consume([received()], context) for _ in range(2)] == [ConsumeStatus.RECONSUME_LATER] * 2
    assert isinstance(errors[0].value, BrokenPipeError)
