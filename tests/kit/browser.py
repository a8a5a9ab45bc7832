"""A real browser, by the protocol of its developer tools: enough to load a page, read its terminal and press keys."""

import asyncio
import base64
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1200,700",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
KEEP_TERMINAL = """
Object.defineProperty(Object.prototype, "_core", {
  configurable: true,
  set(core) {
    Object.defineProperty(this, "_core", {value: core, writable: true, configurable: true});
    if (typeof this.loadAddon === "function") window.keptTerminal = this;
  },
});
"""
"""Xterm.js draws on a canvas; its public object, which knows the text, is caught as it is made."""
TERMINAL_TEXT = """
(() => {
  const terminal = window.keptTerminal;
  if (!terminal) return "";
  const buffer = terminal.buffer.active, lines = [];
  for (let row = 0; row < terminal.rows; row++) {
    const line = buffer.getLine(buffer.viewportY + row);
    lines.push(line ? line.translateToString(true) : "");
  }
  return lines.join("\\n");
})()
"""


def found() -> str | None:
    """The program; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


class Page:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Asks the browser; what else it tells is passed over."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    async def go(self, address: str) -> None:
        """Loads a page and keeps hold of its terminal."""
        await self.call("Page.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=KEEP_TERMINAL)
        await self.call("Page.navigate", url=address)

    async def terminal(self) -> str:
        """What the page's terminal shows."""
        result = await self.call("Runtime.evaluate", expression=TERMINAL_TEXT, returnByValue=True)
        return str(result["result"].get("value", ""))

    async def until(self, *texts: str) -> str:
        """What the terminal shows once all texts are in it.

        Raises:
            AssertionError: they did not come; with what it shows.
        """
        shown = ""
        try:
            async with asyncio.timeout(60):
                while not all(text in shown for text in texts):
                    await asyncio.sleep(0.1)
                    shown = await self.terminal()
        except TimeoutError:
            raise AssertionError(f"{texts} are not all in\n{shown}") from None
        return shown

    async def press(self, character: str) -> None:
        """Presses the key of a character."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": character} if kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=character, **text)

    async def picture(self, path: Path) -> None:
        """Writes what the page shows to a PNG file."""
        result = await self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(result["data"]))


class Browser:
    """A browser without a window, from the beginning to the end of an `async with`."""

    def __init__(self, program: str) -> None:
        self._program = program

    async def __aenter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="rmq-browser-"))
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *OPTIONS,
            f"--user-data-dir={self._home}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *gone: object) -> None:
        await self._http.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """Its page."""
        port_file = self._home / "DevToolsActivePort"
        async with asyncio.timeout(30):
            while not port_file.exists() or not port_file.read_text():
                await asyncio.sleep(0.05)
            port = port_file.read_text().splitlines()[0]
            targets: list[dict[str, Any]] = []
            while not targets:
                async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    targets = [target for target in await answer.json() if target["type"] == "page"]
        async with self._http.ws_connect(targets[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Page(socket)
