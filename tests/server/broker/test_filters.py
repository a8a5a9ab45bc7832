"""Filters of groups: which expression counts, for how long, and the file."""

import json

import pytest

from rmq.server.broker.filters import FilterTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.errors import SubscriptionParseError, SystemBusyError
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

DAY = 86_400_000
T0 = 1_700_000_000_000
FILE = "consumerFilter.json"

APACHES_FILE = """{
	"filterDataByTopic":{
		"T":{
			"groupFilterData":{
				"G1":{
					"bloomFilterData":{
						"bitNum":112,
						"bitPos":[48,65,29]
					},
					"bornTime":1699999990000,
					"clientVersion":1699999900123,
					"consumerGroup":"G1",
					"dead":false,
					"deadTime":0,
					"expression":"a > 5 AND b = 'ü'",
					"expressionType":"SQL92",
					"topic":"T"
				}
			},
			"topic":"T"
		}
	}
}"""
"""As a broker of Apache's 5.4.0 wrote it."""


class Table:
    """A filter table, its file and its clock."""

    def __init__(self, files: MemoryFiles | None = None, **options: int) -> None:
        self.files = files or MemoryFiles()
        self.time = T0
        self.settings = settings_of()
        self.table = FilterTable(self.settings, ConfigFile(FILE, self.files), lambda: self.time, **options)

    def register(self, group: str, *wanted: SubscriptionData) -> None:
        self.table.register(group, wanted)

    def facts(self, topic: str = "T", group: str = "G") -> tuple[str, int, int, int] | None:
        data = self.table.find(topic, group)
        if data is None:
            return None
        dead_time = data.dead_time and data.dead_time - T0
        return data.filter.text, data.born_time - T0, dead_time, data.client_version

    @property
    def content(self) -> dict[str, object]:
        content: dict[str, object] = json.loads(self.files.files[FILE])
        return content


def sql(expression: str | None, version: int = 1, topic: str = "T", kind: str = "SQL92") -> SubscriptionData:
    return SubscriptionData(topic, expression, sub_version=version, expression_type=kind)


def test_a_filter_is_kept_and_used() -> None:
    bench = Table()
    bench.register("G", sql("a > 5"), sql("*", topic="U", kind="TAG"))
    assert bench.facts() == ("a > 5", 0, 0, 1)
    assert bench.table.find("U", "G") is None
    data = bench.table.find("T", "G")
    assert data is not None
    assert data.filter.matches(b"a\x016\x02")
    assert not data.is_dead


def test_the_newer_version_counts() -> None:
    bench = Table()
    bench.register("G", sql("a > 5", 5))
    bench.time += 10
    bench.register("G", sql("a > 4", 4))
    bench.register("G", sql("a > 5.5", 5))
    assert bench.facts() == ("a > 5", 0, 0, 5)
    bench.register("G", sql("a > 5", 6))
    assert bench.facts() == ("a > 5", 0, 0, 6)
    bench.register("G", sql("a > 7", 7))
    assert bench.facts() == ("a > 7", 10, 0, 7)


def test_a_wrong_expression_is_not_kept_and_ends_the_one_before() -> None:
    bench = Table()
    bench.register("G", sql("a >"))
    assert bench.facts() is None
    bench.register("G", sql("a > 1", 2))
    bench.register("G", sql("a > 1 ~", 2))
    assert bench.facts() == ("a > 1", 0, 0, 2)
    bench.register("G", sql("a >", 3))
    assert bench.facts() is None
    bench.register("G", sql("a > 1", 2))
    bench.register("G", sql("a > 1", 4, kind="XPATH"))
    assert bench.facts() == ("a > 1", 0, 0, 4)
    bench.register("G", sql("a > 2", 5, kind="XPATH"))
    assert bench.facts() is None


@pytest.mark.parametrize("expression", [None, ""])
def test_no_expression_changes_nothing(expression: str | None) -> None:
    bench = Table()
    bench.register("G", sql("a > 5"))
    bench.register("G", sql(expression, 9))
    assert bench.facts() == ("a > 5", 0, 0, 1)


def test_death_and_revival() -> None:
    bench = Table()
    bench.register("G", sql("a > 5"), sql("b > 5", topic="U"))
    bench.time += 100
    bench.register("G", sql("a > 5"))
    assert (bench.facts(), bench.facts("U")) == (("a > 5", 0, 0, 1), ("b > 5", 0, 100, 1))
    bench.time += 100
    bench.table.unregister("G")
    assert (bench.facts(), bench.facts("U")) == (("a > 5", 0, 200, 1), ("b > 5", 0, 100, 1))
    bench.register("G", sql("other > 5"), sql("b > 5", 2, topic="U"))
    assert (bench.facts(), bench.facts("U")) == (("a > 5", 0, 0, 1), ("b > 5", 0, 0, 2))


def test_a_group_that_changes_to_tags_keeps_its_old_filter() -> None:
    """As Apache: pulls go by the subscription, so that nothing is lost if it changes back."""
    bench = Table()
    bench.register("G", sql("a > 5"))
    bench.register("G", sql("*", 2, kind="TAG"))
    assert bench.facts() == ("a > 5", 0, 0, 1)


def test_the_dead_are_forgotten_after_a_day() -> None:
    bench = Table()
    bench.register("G", sql("a > 5"))
    bench.register("H", sql("a > 6"))
    bench.time += 1
    bench.table.unregister("G")
    bench.time += DAY - 1
    bench.table.save()
    assert bench.facts() is not None
    bench.time += 1
    bench.table.save()
    assert bench.facts() is None
    assert bench.facts("T", "H") == ("a > 6", 0, 0, 1)
    assert list(bench.content["filterDataByTopic"]["T"]["groupFilterData"]) == ["H"]  # type: ignore[index]


def test_expressions_are_compiled_once() -> None:
    table = Table().table
    assert table.compile("a > 5") is table.compile("a > 5")
    with pytest.raises(SubscriptionParseError, match=r"Encountered '=' at line 1, column 5: .*") as caught:
        table.compile("a > = 5")
    assert caught.value.code == 23
    with pytest.raises(SubscriptionParseError, match="expressions of type XPATH are not known here"):
        table.compile("a > 5", "XPATH")


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_file_is_apaches() -> None:
    bench = Table(MemoryFiles({FILE: APACHES_FILE.encode()}))
    bench.table.load()
    # Nobody is there yet.
    assert bench.facts("T", "G1") == ("a > 5 AND b = 'ü'", -10_000, -10_000, 1_699_999_900_123)
    bench.register("G1", sql("a > 5 AND b = 'ü'", 1_699_999_900_123))
    bench.table.save()
    assert bench.content == json.loads(APACHES_FILE)
    assert "".join(bench.files.files[FILE].decode().split()) == "".join(APACHES_FILE.split())


def test_what_was_alive_at_a_crash_is_dead_after_it() -> None:
    first = Table()
    first.register("G", sql("a > 5"))
    first.table.save()
    second = Table(first.files)
    second.time += 60_000
    second.table.load()
    assert second.facts() == ("a > 5", 0, 30_000, 1)
    second.table.save()
    second.register("G", sql("a > 5"))
    assert second.facts() == ("a > 5", 0, 0, 1)


def test_the_file_is_written_only_when_something_changed() -> None:
    bench = Table()
    bench.table.save()
    assert bench.files.files == {}
    bench.register("G", sql("a > 5"))
    bench.table.save()
    written = bench.files.files.pop(FILE)
    bench.register("G", sql("a > 5"))
    bench.table.save()
    assert bench.files.files == {}
    bench.table.unregister("G")
    bench.files.refuse = OSError("full")
    with pytest.raises(OSError, match="full"):
        bench.table.save()
    bench.files.refuse = None
    bench.table.save()
    assert bench.files.files[FILE] == written.replace(b'"dead":false', b'"dead":true').replace(
        b'"deadTime":0', b'"deadTime":%d' % T0
    )


def test_what_cannot_be_taken_over_is_left_out() -> None:
    content = APACHES_FILE.replace("a > 5 AND b", "a > ").encode()
    bench = Table(MemoryFiles({FILE: content}))
    bench.table.load()
    assert bench.facts("T", "G1") is None
    content = APACHES_FILE.replace("SQL92", "XPATH").encode()
    bench = Table(MemoryFiles({FILE: content}))
    bench.table.load()
    assert bench.facts("T", "G1") is None


def test_no_file() -> None:
    bench = Table()
    bench.table.load()
    assert bench.facts() is None


# --- room -----------------------------------------------------------------------------------------------------------


def test_room_is_made_by_the_longest_dead() -> None:
    bench = Table(room=20_000)
    for number in range(8):
        bench.time += 1
        bench.register(f"G{number}", sql(f"a > {number}"))
        if number != 3:
            bench.table.unregister(f"G{number}")
    bench.register("G8", sql("a > 8"))
    kept = [number for number in range(9) if bench.facts("T", f"G{number}") is not None]
    assert kept[0] == 3
    assert kept[-1] == 8
    assert kept[1:] == list(range(kept[1], 9))
    assert len(kept) < 9


def test_without_room_a_new_filter_is_refused() -> None:
    bench = Table(room=20_000)
    for number in range(6):
        bench.register(f"G{number}", sql(f"a > {number}"))
    with pytest.raises(SystemBusyError, match="the filters of all groups take too much memory"):
        bench.register("G19", sql("a IN ('" + "x" * 9000 + "')"))
    assert bench.facts("T", "G0") == ("a > 0", 0, 0, 1)
    assert bench.facts("T", "G19") is None
    bench.register("G0", sql("a > 0", 2))
    bench.table.unregister("G0")
    bench.register("G19", sql("a > 19"))
    assert bench.facts("T", "G19") == ("a > 19", 0, 0, 1)


def test_the_same_filters_over_and_over_take_no_more_room() -> None:
    bench = Table(room=20_000)
    for version in range(100):
        bench.register("G", sql(f"a > {version}", version))
    assert bench.facts() == ("a > 99", 0, 0, 99)
