"""Name-server addresses and what else the environment says."""

from __future__ import annotations

import pytest

from rmq.settings.environment import (
    NamesrvAddressError,
    home_path,
    host_name,
    namesrv_addr_variable,
    namesrv_addresses,
    rocketmq_home,
    split_addresses,
    split_host_port,
)

VARIABLE = {"NAMESRV_ADDR": "10.0.0.1:9876;10.0.0.2:9876"}


def test_given_goes_before_variable_before_default() -> None:
    assert namesrv_addresses("h:1", VARIABLE) == ("h:1",)
    assert namesrv_addresses(None, VARIABLE) == ("10.0.0.1:9876", "10.0.0.2:9876")
    assert namesrv_addresses("", VARIABLE) == ("10.0.0.1:9876", "10.0.0.2:9876")
    assert namesrv_addresses(None, {}) == ("127.0.0.1:9876",)
    assert namesrv_addresses(None, {}, default=None) == ()


def test_the_process_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMESRV_ADDR", "env:9876")
    monkeypatch.setenv("ROCKETMQ_HOME", "/opt/rocketmq")
    monkeypatch.setenv("HOME", "/home/someone")
    assert namesrv_addresses() == ("env:9876",)
    assert namesrv_addr_variable() == "env:9876"
    assert rocketmq_home() == "/opt/rocketmq"
    assert home_path("store", "x")() == "/home/someone/store/x"
    assert host_name()


def test_blanks_and_empty_entries_are_dropped() -> None:
    assert split_addresses(" a:1 ;; b:2;") == ("a:1", "b:2")


@pytest.mark.parametrize(
    "text", ["localhost", "a:1;b", ":9876", "a:0", "a:65536", "a:x", "a b:1", ";", "", "[]:1", "a:²"]
)
def test_illegal_addresses_are_named(text: str) -> None:
    with pytest.raises(NamesrvAddressError) as caught:
        split_addresses(text)
    assert caught.value.addresses == text
    assert str(caught.value) == (
        f'The Name Server Address[{text}] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"'
    )


def test_host_and_port() -> None:
    assert split_host_port("name:65535") == ("name", 65535)
    assert split_host_port("[::1]:9876") == ("::1", 9876)
