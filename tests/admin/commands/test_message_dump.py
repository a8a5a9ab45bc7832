"""`dumpCompactionLog`."""

import zlib
from pathlib import Path

import pytest

from rmq.admin import messages
from rmq.wire.sysflag import BLANK_MAGIC, COMPRESSED
from tests.kit.adminfake import FakeServers, report, reports, text
from tests.kit.adminstored import STORED_AT, record

FIRST = record(b"one", queue_offset=0, properties={"KEYS": "100%"})
SECOND = record(b"two", queue_offset=3)
BLANK = (64).to_bytes(4, "big") + BLANK_MAGIC.to_bytes(4, "big") + bytes(56)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00000000000000000000"


def dump(path: Path) -> str:
    return text(FakeServers(), "dumpCompactionLog", "-f", str(path))


def test_prints_messages_without_their_bodies(path: Path) -> None:
    path.write_bytes(FIRST + SECOND + BLANK)
    first, second = dump(path).splitlines()
    assert first == (
        f"MessageExt [brokerName=null, queueId=1, storeSize={len(FIRST)}, queueOffset=0, sysFlag=0,"
        f" bornTimestamp={STORED_AT - 5}, bornHost=/10.1.1.1:55000, storeTimestamp={STORED_AT},"
        " storeHost=/10.0.0.3:10911, msgId=0A00000300002A9F0000000000000000, commitLogOffset=0,"
        f" bodyCRC={zlib.crc32(b'one') & 0x7FFFFFFF}, reconsumeTimes=0, preparedTransactionOffset=0,"
        " toString()=Message{topic='T', flag=0, properties={KEYS=100%}, body=null, transactionId='null'}]"
    )
    assert ", queueOffset=3," in second
    assert path.read_bytes() == FIRST + SECOND + BLANK


@pytest.mark.parametrize("end", [b"", bytes(100), BLANK, b"\0\0\0"])
def test_where_a_file_ends(path: Path, end: bytes) -> None:
    path.write_bytes(SECOND + end)
    made = report(FakeServers(), "dumpCompactionLog", "-f", str(path))
    assert (made.render("text").count("\n"), made.failures) == (1, [])


@pytest.mark.parametrize("rest", [SECOND[:-1], b"nonsense" * 20, (1 << 31).to_bytes(4, "big") + SECOND[4:]])
def test_a_damaged_file(path: Path, rest: bytes) -> None:
    path.write_bytes(FIRST + rest)
    made = report(FakeServers(), "dumpCompactionLog", "-f", str(path))
    assert made.render("text").count("\n") == 1
    assert [failure.remark.partition(": ")[0] for failure in made.failures] == [
        f"{path} cannot be read beyond byte {len(FIRST)}"
    ]


def test_json_has_the_bodies(path: Path) -> None:
    path.write_bytes(FIRST + record(zlib.compress(b"two"), queue_offset=1, sys_flag=COMPRESSED))
    members = report(FakeServers(), "dumpCompactionLog", "-f", str(path), "--format", "json").members["messages"]
    assert [(member["body"], member["sysFlag"]) for member in members] == [("one", 0), ("two", 0)]
    assert f"sysFlag={COMPRESSED}, " in dump(path), "text shows the record as it is stored"


def test_a_large_file_is_printed_piece_by_piece(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_HELD", 2)
    path.write_bytes(FIRST * 3)
    made = reports(FakeServers(), ["dumpCompactionLog", "-f", str(path)])
    assert [each.render("text").count("\n") for each in made] == [2, 1]


def test_no_file(tmp_path: Path) -> None:
    made = report(FakeServers(), "dumpCompactionLog")
    assert (made.render("text"), made.refusal) == ("miss dump log file name\n", "miss dump log file name")
    with pytest.raises(FileNotFoundError):
        dump(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        dump(tmp_path)
