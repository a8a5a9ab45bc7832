"""Reports and their three forms."""


import pytest

from rmq.admin.output import Column, NoTableError, Report, Table, cut, fixed, millis, same, seconds
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.errors import TopicNotExistError

TABLE = Table("queues", "", "%-6s %4s", "%-6s %4d", (Column("broker", "#Broker", cut(3)), Column("id", "#QID", same)))


def filled() -> Report:
    report = Report()
    report.say("before", end="")
    report.table(TABLE, [("broker-a", 7)])
    report.put(total=1.5)
    return report


def test_text_cuts_what_json_keeps() -> None:
    report = filled()
    assert report.render("text") == "before#Broker #QID\nbro       7\n"
    assert report.render("json") == (
        '{\n  "queues": [\n    {\n      "broker": "broker-a",\n      "id": 7\n    }\n  ],\n  "total": 1.5\n}\n'
    )
    assert report.render("csv") == "broker,id\nbroker-a,7\n"


def test_a_table_of_one_column_is_a_list() -> None:
    report = Report()
    report.table(Table("names", "", "", "%s", (Column("name"),)), [("a",), ("b",)])
    assert report.members == {"names": ["a", "b"]}
    assert report.render("text") == "a\nb\n"


def test_failures_are_noted_once_each() -> None:
    report = filled()
    report.fail(ConnectFailedError("h:1", "refused")).fail(ConnectFailedError("h:1", "refused"))
    assert report.members["errors"] == [{"code": -1004, "address": "h:1", "message": "connect to h:1 failed: refused"}]


def test_only_a_server_that_cannot_be_asked_is_a_failure() -> None:
    report = Report()
    report.fail_unless_answered(TopicNotExistError("gone"))
    assert report.failures == []
    report.fail_unless_answered(ConnectFailedError("h:1"))
    assert len(report.failures) == 1


def test_csv_needs_a_table() -> None:
    report = Report()
    report.say("words")
    with pytest.raises(NoTableError):
        report.render("csv")


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(0.125, 2, "0.13"), (2.675, 2, "2.68"), (0.0, 4, "0.0000"), (498681.649, 2, "498681.65"), (1e-7, 2, "0.00")],
)
def test_rounds_half_up_on_the_decimal_digits(value: float, digits: int, shown: str) -> None:
    assert fixed(value, digits) == shown


@pytest.mark.usefixtures("utc")
def test_times() -> None:
    assert seconds(1_795_253_967_572) == "2026-11-21 09:39:27"
    assert millis(1_795_253_967_004) == "2026-11-21 09:39:27,004"
