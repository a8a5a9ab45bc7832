"""Listings: Apache's keys and defaults, Java's text forms, and a text that reads back the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmq.settings.dump import body, lines, listing
from rmq.settings.ignored import threads_by_processors
from rmq.settings.load import load_broker, load_namesrv, parse_properties
from rmq.settings.model import BrokerSettings, Settings, catalogue


def apache(name: str) -> dict[str, str]:
    text = (Path(__file__).parent / name).read_text(encoding="ascii")
    return {entry.key: entry.text for entry in parse_properties(text)}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETMQ_HOME", "/opt/rocketmq")
    monkeypatch.setenv("NAMESRV_ADDR", "127.0.0.1:9876")


def test_a_broker_lists_what_apaches_lists() -> None:
    expected, found = apache("apache_broker.properties"), listing(load_broker().settings)
    assert list(found) == sorted(expected)
    for key in expected:
        _, option = catalogue(BrokerSettings)[key]
        if option.shown == "by number of processors":
            assert threads_by_processors(key, 2) == int(expected[key]), key
        elif expected[key] != "?":
            assert found[key] == expected[key], key


def test_a_name_server_lists_what_apaches_lists() -> None:
    expected, found = apache("apache_namesrv.properties"), listing(load_namesrv().settings)
    assert list(found) == sorted(expected)
    assert {key: found[key] for key in expected if expected[key] != "?"} == {
        key: text for key, text in expected.items() if text != "?"
    }


def test_keys_that_apache_does_not_list_appear_when_set() -> None:
    assert "frameMaxLength" not in listing(load_broker().settings)
    text = "frameMaxLength=2048\nauthenticationStrategy=x\nstorePathCommitLog=/c\nsomethingElse=1"
    found = listing(load_broker(text).settings)
    assert {key: found[key] for key in ("frameMaxLength", "authenticationStrategy", "storePathCommitLog")} == {
        "frameMaxLength": "2048", "authenticationStrategy": "x", "storePathCommitLog": "/c",
    }  # fmt: skip
    assert found["somethingElse"] == "1", "nothing of a file is lost when it is rewritten"


def test_body_is_sorted_lines() -> None:
    content = body(load_namesrv("listenPort=1").settings).decode("ascii")
    assert content.startswith("bindAddress=0.0.0.0\nclientRequestThreadPoolNums=8\n")
    assert "\nlistenPort=1\n" in content
    assert content.endswith("\nwriteBufferLowWaterMark=0\n")
    assert content.splitlines() == sorted(content.splitlines())


@pytest.mark.parametrize("value", ["C:\\store", "a\tb", "ü", "\U0001f680", "a=b:c #d!", "tail\\"])
def test_body_reads_back(value: str) -> None:
    settings = load_broker(overrides={"metricsLabel": value, "somethingElse": value}).settings
    again = load_broker(body(settings).decode("ascii")).settings
    assert again.value("metricsLabel") == value
    assert again.unknown == {"somethingElse": value}
    assert body(again) == body(settings)


def test_unusual_characters_are_escaped_as_java_reads_them() -> None:
    settings = load_broker(overrides={"metricsLabel": "ü\\\U0001f680"}).settings
    assert b"\nmetricsLabel=\\u00fc\\\\\\ud83d\\ude80\n" in body(settings)


def test_print_lines_show_everything_even_if_not_set() -> None:
    shown = list(lines(load_broker("storePathRootDir=/data").settings))
    assert "storePathRootDir=/data" in shown
    assert "storePathCommitLog=" in shown
    assert "flushDiskType=ASYNC_FLUSH" in shown
    assert "popPollingSize=1024" in shown
    assert len(shown) == len({line.partition("=")[0] for line in shown})


def test_important_lines_are_apaches_important_fields() -> None:
    shown = {line.partition("=")[0] for line in lines(load_broker().settings, important=True)}
    assert {"brokerName", "brokerIP1", "namesrvAddr", "listenPort", "flushDiskType", "transactionTimeOut"} <= shown
    assert {"haMasterAddress", "storeType", "recoverConcurrently"} <= shown, "important, even without an effect"
    assert {"brokerIP2", "popPollingSize", "maxMessageSize"}.isdisjoint(shown)


@pytest.mark.parametrize("make", [lambda: load_broker().settings, lambda: load_namesrv().settings])
def test_every_key_is_declared_once_and_says_what_it_means(make: type[Settings]) -> None:
    for _, option in make().options():
        assert option.help.endswith("."), option.key
        assert option.key[0].islower(), option.key
        if option.kind is int and not option.ignored and not option.choices:
            assert option.minimum is not None, f"{option.key} has no lower limit"
