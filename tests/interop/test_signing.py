"""Our tools and clients at an Apache broker that checks who asks and what they may do.

The tests follow each other: the first one makes the topic and the user of the later ones.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.client import ClientConfig, ConsumeFromWhere, Credentials, Message, PushConfig, RemotingError, blocking
from rmq.client.aio import Producer, PushConsumer
from tests.kit import toolchains
from tests.kit.server import RunningServer, maker

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

PROVIDER = "org.apache.rocketmq.auth.{0}.provider.{1}"
SUPER, SECRET = "root-user", "12345678"
SETTINGS = {
    "authenticationEnabled": "true",
    "authorizationEnabled": "true",
    "authenticationProvider": PROVIDER.format("authentication", "DefaultAuthenticationProvider"),
    "authenticationMetadataProvider": PROVIDER.format("authentication", "LocalAuthenticationMetadataProvider"),
    "authorizationProvider": PROVIDER.format("authorization", "DefaultAuthorizationProvider"),
    "authorizationMetadataProvider": PROVIDER.format("authorization", "LocalAuthorizationMetadataProvider"),
    "initAuthenticationUser": f'{{"username":"{SUPER}","password":"{SECRET}"}}',
    "innerClientAuthenticationCredentials": f'{{"accessKey":"{SUPER}","secretKey":"{SECRET}"}}',
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    toolchains.require("java")
    running = maker("apache")(tmp_path_factory.mktemp("signing"), extra=SETTINGS)
    yield running
    running.kill()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A RocketMQ home with the keys of the user that the broker begins with."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tools.yml").write_text(f"accessKey: {SUPER}\nsecretKey: {SECRET}\n")
    return tmp_path


def mqadmin(server: RunningServer, home: Path, *words: str) -> tuple[int, str, str]:
    tool = Path(sys.executable).with_name("mqadmin")
    done = subprocess.run(
        [tool, *words, "-n", server.namesrv_addr],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"ROCKETMQ_HOME": str(home)},
    )
    return done.returncode, done.stdout, done.stderr


def test_mqadmin_signs_with_the_keys_of_its_home(server: RunningServer, home: Path, tmp_path: Path) -> None:
    broker = server.broker_addr
    code, out, err = mqadmin(server, home, "updateTopic", "-b", broker, "-t", "Signed", "-r", "2", "-w", "2")
    assert (code, err) == (0, "")
    assert f"create topic to {broker} success." in out
    assert mqadmin(server, home, "createUser", "-b", broker, "-u", "shop", "-p", "shop's secret")[0] == 0
    rules = ("-r", "Topic:Signed,Group:*", "-a", "Pub,Sub", "-d", "Allow")
    assert mqadmin(server, home, "createAcl", "-b", broker, "-s", "User:shop", *rules)[0] == 0
    nowhere = tmp_path / "nowhere"
    code, out, err = mqadmin(server, nowhere, "updateTopic", "-b", broker, "-t", "Other")
    assert (code, out) == (1, "")
    assert "answered code 16 NO_PERMISSION" in err


def test_wrong_keys_are_refused_with_the_brokers_reason(server: RunningServer, home: Path) -> None:
    (home / "conf" / "tools.yml").write_text(f"accessKey: {SUPER}\nsecretKey: wrong\n")
    code, out, err = mqadmin(server, home, "updateTopic", "-b", server.broker_addr, "-t", "Other")
    assert (code, out) == (1, "")
    assert "check signature failed" in err


def test_producers_and_consumers_sign(server: RunningServer) -> None:
    config = ClientConfig(namesrv_addr=server.namesrv_addr, credentials=Credentials("shop", "shop's secret"))
    bodies: list[bytes] = []

    async def main() -> None:
        came = asyncio.Event()

        async def listen(messages: list[object], context: object) -> None:
            bodies.extend(message.body for message in messages)
            came.set()

        first = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
        consumer = PushConsumer("signed-readers", listen, client_config=config, config=first)
        consumer.subscribe("Signed")
        async with Producer("signed-writers", client_config=config) as producer, consumer:
            await producer.send(Message("Signed", "größe", tags="A", keys="k"))
            await asyncio.wait_for(came.wait(), 60)

    asyncio.run(main())
    assert bodies == ["größe".encode()]


def test_who_does_not_sign_is_refused(server: RunningServer) -> None:
    with (
        blocking.Producer("strangers", namesrv_addr=server.namesrv_addr) as producer,
        pytest.raises(RemotingError, match="CODE: 16"),
    ):
        producer.send(Message("Signed", "x"))
