"""Messages as rows, as records and as commands."""

import base64
from dataclasses import replace
from datetime import UTC

from rmq.tui.table.exports import as_csv
from rmq.tui.table.stored import as_record, clock_of, command_of, place_of, preview, queue_of, whole_clock
from tests.kit.tui.messages import BODIES, NOW, stored


def test_previews() -> None:
    assert preview(b'{"a": 1}\nb') == '{"a": 1}\nb'
    assert preview(b"\x00\x01\xff\xfe") == "00 01 ff fe"
    assert preview("grüße".encode()) == "grüße"
    assert len(preview(b"x" * 5000)) == 400
    assert preview(b"") == ""


def test_queues() -> None:
    assert queue_of(stored(3)) == "broker-a/3"
    assert queue_of(replace(stored(3), broker="")) == "10.0.0.1:10911/3"


def test_times() -> None:
    clock = clock_of(UTC, lambda: NOW)
    assert (clock(NOW - 1), clock(NOW - 86_400_000), clock(0)) == ("14:01:59.999", "11-20 14:02", "·")
    assert (whole_clock(UTC)(NOW + 7), whole_clock(UTC)(0)) == ("2026-11-21 14:02:00.007", "·")


def test_records_hold_everything() -> None:
    record = as_record(stored(6))
    assert (record["bodyEncoding"], base64.b64decode(record["body"]), record["bodySize"]) == ("base64", BODIES[2], 16)
    assert (record["broker"], record["queueId"], record["queueOffset"]) == ("broker-a", 2, 1206)
    assert as_record(stored(5))["body"] == BODIES[1].decode()
    assert as_csv([{"a": {"k": "v"}, "b": 1}]) == 'a,b\n"{""k"": ""v""}",1\n'


def test_commands_and_places() -> None:
    assert command_of(stored(1)) == ("queryMsgByOffset", "-t", "Orders", "-b", "broker-a", "-i", "1", "-o", "1201")
    unknown = replace(stored(1), broker="")
    assert command_of(unknown) == ("queryMsgById", "-t", "Orders", "-i", stored(1).offset_id)
    assert place_of(stored(1)) == "Orders queue:broker-a/1@1201"
    assert place_of(unknown) == f"Orders id:{stored(1).offset_id}"
