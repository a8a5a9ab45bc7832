"""Servers and clients that the interop tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.golden.play import OurTool
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver
from tests.kit.frames import wait_for_figures
from tests.kit.server import RunningServer, chosen_kind, maker


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server that RMQ_TEST_SERVER chooses."""
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    running = maker(kind)(tmp_path_factory.mktemp(kind))
    wait_for_figures(running.broker_addr)
    yield running
    running.kill()


@pytest.fixture(scope="session")
def admin(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MqAdmin]:
    """Java's mqadmin against that server."""
    toolchains.require("java")
    started = MqAdmin(server.namesrv_addr, tmp_path_factory.mktemp("mqadmin"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A fresh server of the chosen kind for one module, whose `OWN_CONFIG` may hold settings for it."""
    toolchains.require("java")
    config = getattr(request.module, "OWN_CONFIG", {})
    running = maker(chosen_kind())(tmp_path_factory.mktemp("own"), extra=config)
    wait_for_figures(running.broker_addr)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def mq(own: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MqAdmin]:
    """Java's mqadmin against the module's own server."""
    started = MqAdmin(own.namesrv_addr, tmp_path_factory.mktemp("mqadmin"))
    yield started
    started.close()


@pytest.fixture
def ours(own: RunningServer, tmp_path: Path) -> OurTool:
    """Our mqadmin against the module's own server."""
    return OurTool(own.namesrv_addr, tmp_path)


StartDriver = Callable[[toolchains.Program], Driver]


@pytest.fixture
def start_driver(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDriver]:
    """Starts client programs that end with the test."""
    started: list[Driver] = []

    def start(program: toolchains.Program) -> Driver:
        driver = Driver(program, server.namesrv_addr, tmp_path_factory.mktemp("client"))
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()


@pytest.fixture(scope="module")
def shared_drivers(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDriver]:
    """One client program of each kind for a whole module; its clients go on until then, so no longer than that."""
    started: dict[toolchains.Program, Driver] = {}

    def get(program: toolchains.Program) -> Driver:
        if program not in started:
            started[program] = Driver(program, server.namesrv_addr, tmp_path_factory.mktemp("client"))
        return started[program]

    yield get
    for driver in started.values():
        driver.kill()


@pytest.fixture(scope="module", params=toolchains.JAVA_CLIENT_VERSIONS)
def java_program(request: pytest.FixtureRequest) -> toolchains.Program:
    """The official Java client, each release in turn."""
    toolchains.require("java")
    return toolchains.java_client(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A directory of this test."""
    return tmp_path
