"""Free ports: in blocks, each once and to nobody else, and a reason where there are none."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from rmq.remoting.ports import FreePorts, NoPortError, Reservation, reserve


class Kept:
    """A port that is reserved."""

    def __init__(self, port: int, kept: set[int]) -> None:
        self._port, self._kept = port, kept
        kept.add(port)

    def close(self) -> None:
        self._kept.remove(self._port)


def taken(
    *ports: int, tried: list[int] | None = None, kept: set[int] | None = None
) -> Callable[[str, int], Reservation]:
    """A machine on which these ports are taken."""
    refused = frozenset(ports)
    held = set() if kept is None else kept

    def reserving(host: str, port: int) -> Reservation:
        if tried is not None:
            tried.append(port)
        if port in refused or port in held:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return Kept(port, held)

    return reserving


def test_each_port_is_given_once() -> None:
    ports = FreePorts("127.0.0.1", 0, taken())
    assert [ports.take() for _ in range(3)] == [12_000, 12_001, 12_002]


def test_a_block_is_free_as_a_whole_and_no_other_block_has_a_part_of_it() -> None:
    ports = FreePorts("127.0.0.1", 0, taken(12_001, 12_004))
    assert ports.take(below=2, above=1) == 12_007
    assert ports.take(below=2, above=1) == 12_011


def test_what_is_given_is_kept_from_others_until_it_is_closed_and_nothing_else() -> None:
    kept: set[int] = set()
    ports = FreePorts("127.0.0.1", 0, taken(12_001, 12_004, kept=kept))
    ports.take(below=2, above=1)
    assert kept == {12_005, 12_006, 12_007, 12_008}
    assert FreePorts("127.0.0.1", 0, taken(kept=kept)).take(above=5) == 12_009
    ports.close()
    ports.close()
    assert kept == {12_009, 12_010, 12_011, 12_012, 12_013, 12_014}


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
        ports.close()
        again = FreePorts("127.0.0.1")
        assert again.take() > server.getsockname()[1]
        again.close()


def test_processes_that_begin_at_the_same_place_find_different_ports_and_a_killed_one_keeps_none() -> None:
    number = os.getpid()
    program = f"""
from rmq.remoting.ports import FreePorts
ports = FreePorts("127.0.0.1", {number})
print([ports.take(2, 1) for _ in range(3)], flush=True)
input()
"""
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        theirs = json.loads(first.stdout.readline())
        ours = FreePorts("127.0.0.1", number)
        found = [ours.take(2, 1) for _ in range(3)]
        assert not {port + near for port in found for near in (-2, -1, 0, 1)} & set(theirs)
        with pytest.raises(OSError, match="Address already in use"):
            reserve("127.0.0.1", theirs[0] - 2)
        first.send_signal(signal.SIGKILL)
    ours.close()
    reserve("127.0.0.1", theirs[0] - 2).close()


def test_a_reserved_port_can_be_listened_on() -> None:
    ports = FreePorts("127.0.0.1")
    port = ports.take()
    with socket.create_server(("127.0.0.1", port)):
        ports.close()
        with pytest.raises(OSError, match="Address already in use"):
            reserve("127.0.0.1", port)
