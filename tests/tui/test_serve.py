"""The interface in a browser: who may connect, and what a page shows."""

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest

from rmq.admin.cli import main as admin_main
from rmq.testing.server import RocketMQ
from rmq.tui import serve
from rmq.tui.launch import UsageError, main
from tests.kit import browser
from tests.kit.ports import free_port

WORDS = ("--refresh", "500ms", "--open", "topics")


@pytest.fixture(autouse=True)
def instant() -> None:
    """Real servers take their time."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RocketMQ]:
    with RocketMQ() as servers:
        for topic in ("Orders", "Payments"):
            assert admin_main(["updateTopic", "-n", servers.namesrv_addr, "-c", "DefaultCluster", "-t", topic]) == 0
        yield servers


@contextlib.asynccontextmanager
async def served(*words: str) -> AsyncIterator[str]:
    """The address of pages that show what the words say."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rmq", "tui", "serve", "--port", str(port), *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        said = (await process.stdout.readline()).decode()
        assert said == f"http://127.0.0.1:{port}  (ctrl+c ends)\n"
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


# --- words ------------------------------------------------------------------------------------------------------------


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    assert capsys.readouterr().out == serve.PAGE + "\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--port", "0"], "--port 0: a number from 1 to 65535"),
        (["--port", "x"], "--port x: a number"),
        (["--port"], "expected one argument"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--theme", "pink"], "--theme pink: there are"),
    ],
)
def test_wrong_words_are_told_before_anything_is_served(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["serve", *words], {"XDG_CONFIG_HOME": str(tmp_path)}) == 1
    assert why in capsys.readouterr().err
    with pytest.raises(UsageError):
        serve.serve(words, {"XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("mq.lan", False),
    ],
)
def test_what_is_loopback(host: str, inside: bool) -> None:
    assert serve.is_loopback(host) is inside


class NotServed:
    """A server that says what it was to serve."""

    made: ClassVar[list[tuple[str, int, list[str]]]] = []

    def __init__(self, host: str, port: int, words: list[str]) -> None:
        self.made.append((host, port, words))

    def serve(self) -> None:
        """Ends at once."""


def test_options_go_on_to_the_pages_and_a_host_of_others_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "server", NotServed)
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert main(["serve", "--host", "0.0.0.0", "--port", "81", "-n", "h:1", "--theme", "nord"], environ) == 0
    assert NotServed.made[-1] == ("0.0.0.0", 81, ["-n", "h:1", "--theme", "nord"])
    assert "no login; --read-only is advised" in capsys.readouterr().err
    assert main(["serve", "-n", "h:1", "--read-only"], environ) == 0
    assert NotServed.made[-1] == ("127.0.0.1", 8000, ["-n", "h:1", "--read-only"])
    assert capsys.readouterr().err == ""


# --- who may connect --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "asked", "origin", "taken"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1", "localhost:8000", "http://localhost:8000", True),
        ("127.0.0.1", "localhost:8000", None, True),
        ("127.0.0.1", "127.0.0.1:8000", "http://evil.example", False),
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:9000", False),
        ("127.0.0.1", "evil.example:8000", "http://evil.example:8000", False),
        ("127.0.0.1", "127.0.0.1:8000", "null", False),
        ("0.0.0.0", "mq.lan:8000", "http://mq.lan:8000", True),
        ("0.0.0.0", "mq.lan:8000", "http://evil.example", False),
    ],
)
def test_pages_of_others_may_not_connect(bound: str, asked: str, origin: str | None, taken: bool) -> None:
    assert (serve.refusal(bound, asked, origin) == "") is taken


def test_a_page_shows_topics_and_takes_keys_over_its_socket(cluster: RocketMQ) -> None:
    """What a browser does, without one: this always runs."""

    async def run() -> None:
        async with served("-n", cluster.namesrv_addr, *WORDS) as address, aiohttp.ClientSession() as http:
            async with http.get(address) as answer:
                page = await answer.text()
            assert answer.status == 200
            assert f"ws://{address.removeprefix('http://')}/ws" in page
            assert "googleapis" not in page
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await http.ws_connect(f"{address}/ws", headers={"Origin": "http://evil.example"})
            async with http.ws_connect(f"{address}/ws?width=100&height=30", headers={"Origin": address}) as socket:
                assert "Orders" in await painted(socket, "Payments")
                await socket.send_str(json.dumps(["stdin", "1"]))
                await painted(socket, "Name servers")

    asyncio.run(run())


async def painted(socket: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What came until the text was painted."""
    shown = io.StringIO()
    async with asyncio.timeout(30):
        while text not in shown.getvalue():
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                shown.write(message.data.decode("utf-8", "replace"))
    return shown.getvalue()


@pytest.mark.skipif(browser.found() is None, reason=f"there is no browser here (looked for {', '.join(browser.NAMES)})")
def test_a_real_browser_shows_topics_and_reacts_to_keys(cluster: RocketMQ, tmp_path: Path) -> None:
    async def run() -> None:
        program = browser.found()
        assert program is not None
        async with (
            served("-n", cluster.namesrv_addr, *WORDS) as address,
            browser.Browser(program) as chromium,
            chromium.page() as page,
        ):
            await page.go(address)
            await page.until("2 Topics", "Orders", "Payments")
            await page.press("1")
            await page.until("Name servers", "ADDRESS")
            await page.press("?")
            await page.until("esc closes")
            await page.picture(tmp_path / "page.png")
            assert (tmp_path / "page.png").stat().st_size > 10_000

    asyncio.run(run())
