"""Free ports: in blocks, each once, and a reason where there are none."""

import errno
import socket
from collections.abc import Callable

import pytest

from rmq.remoting.ports import FreePorts, NoPortError


def taken(*ports: int, tried: list[int] | None = None) -> Callable[[str, int], None]:
    """A machine on which these ports are taken."""
    refused = frozenset(ports)

    def bind(host: str, port: int) -> None:
        if tried is not None:
            tried.append(port)
        if port in refused:
            raise OSError(errno.EADDRINUSE, "Address already in use")

    return bind


def test_each_port_is_given_once() -> None:
    ports = FreePorts("127.0.0.1", 0, taken())
    assert [ports.take() for _ in range(3)] == [12_000, 12_001, 12_002]


def test_a_block_is_free_as_a_whole_and_no_other_block_has_a_part_of_it() -> None:
    ports = FreePorts("127.0.0.1", 0, taken(12_001, 12_004))
    assert ports.take(below=2, above=1) == 12_007
    assert ports.take(below=2, above=1) == 12_011


def test_processes_begin_at_different_places_within_the_range() -> None:
    firsts = [FreePorts("127.0.0.1", number, taken()).take() for number in range(4_000_000, 4_000_100)]
    assert len(set(firsts)) == 100
    assert 12_000 <= min(firsts) <= max(firsts) < 32_000


def test_after_the_last_port_comes_the_first() -> None:
    tried: list[int] = []
    before_the_end = next(number for number in range(10_000) if number * 64 % 20_000 == 19_968)
    ports = FreePorts("127.0.0.1", before_the_end, taken(*range(31_968, 31_998), tried=tried))
    assert ports.take(below=2, above=1) == 12_002
    assert max(tried) < 32_000


def test_no_port_is_an_error_with_the_reason() -> None:
    def elsewhere(host: str, port: int) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    with pytest.raises(NoPortError, match=r"^cannot listen on 10\.9\.9\.9: Cannot assign requested address$"):
        FreePorts("10.9.9.9", 0, elsewhere).take()
    with pytest.raises(NoPortError, match=r"^there is no free port from 12000 to 32000 on 127\.0\.0\.1$"):
        FreePorts("127.0.0.1", 0, taken(*range(12_000, 32_000))).take()


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    ports = FreePorts("127.0.0.1")
    with socket.create_server(("127.0.0.1", ports.take())) as server:
        assert FreePorts("127.0.0.1").take() > server.getsockname()[1]
