"""`rmq tui serve`: the interface in a browser, a process of its own for every page that is open.

Whoever reaches the page can do all that the interface can, without a login. So it listens on the loopback address
unless told otherwise, and takes a page's connection only from a page of its own: another site that is open in the same
browser could else operate the cluster (a page's script may open a WebSocket to any address).
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rmq.tui.launch import UsageError, parser, show_page, understood

if TYPE_CHECKING:
    from textual_serve.server import Server

PAGE: Final = """\
usage: rmq tui serve [--host 127.0.0.1] [--port 8000] [options of rmq tui]
 --host ADDR        where to listen (127.0.0.1); there is no login, so elsewhere anybody can operate the cluster
 --port N           the port (8000)
 -h,--help          print help; rmq tui --help prints the other options"""

_HOST: Final = "127.0.0.1"
_PORT: Final = 8000
_MISSING: Final = "serving needs textual-serve: pip install 'rmq[serve]'"
_FONTS: Final = re.compile(r'<link[^>]*href="https://fonts\.googleapis\.com[^>]*>')
"""The page asks nobody else for anything: it works where there is no other network, and tells nobody."""
_FOCUS: Final = """\
<script>
  const waiting = setInterval(() => {
    const input = document.querySelector(".xterm-helper-textarea");
    if (input) { input.focus(); clearInterval(waiting); }
  }, 50);
</script>
"""
"""Keys go to the terminal from the start, without a click on it."""
EXIT_MISSING: Final = 1


def serve(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serves until it is ended; returns the exit code.

    Raises:
        UsageError: a word cannot be understood.
        ConfigError: the file of contexts cannot be understood.
        NamesrvAddressError: `-n` or `NAMESRV_ADDR` are no addresses.
    """
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    reader.add_argument("--host", default=_HOST)
    reader.add_argument("--port", default=str(_PORT))
    try:
        own, rest = reader.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise UsageError(str(error)) from None
    given = parser().parse_args(rest)
    if given.help:
        return show_page(PAGE)
    understood(given, environ)
    port = _port(own.port)
    try:
        import textual_serve  # noqa: F401
    except ImportError:
        print(f"rmq tui: {_MISSING}", file=sys.stderr)
        return EXIT_MISSING
    if not is_loopback(own.host):
        advice = "" if given.read_only else "; --read-only is advised"
        print(f"rmq tui: whoever reaches {own.host}:{port} can operate the cluster: no login{advice}", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        if given.demo:
            from rmq.tui.demo import Demo

            # One for all pages: each page is a process of its own, and would begin with an empty cluster.
            address = stack.enter_context(Demo()).namesrv_addr
            rest = [*(word for word in rest if word != "--demo"), "-n", address]
        print(f"http://{own.host}:{port}  (ctrl+c ends)", flush=True)
        server(own.host, port, rest).serve()
    return 0


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"--port {text}: a number from 1 to 65535 is expected")
    return int(text)


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusal(bound: str, asked: str, origin: str | None) -> str:
    """Why a connection is not taken; empty when it is.

    Args:
        bound: the host that is listened on.
        asked: the header Host, which is how the browser names this server.
        origin: the header Origin, which is whose page it is.
    """
    if is_loopback(bound) and not is_loopback(urlsplit(f"//{asked}").hostname or ""):
        return "this server is known by its loopback address only"
    if origin is not None and urlsplit(origin).netloc != asked:
        return "only a page of this server may connect"
    return ""


def server(host: str, port: int, words: Sequence[str]) -> Server:
    """A server of pages.

    Args:
        host: where to listen.
        port: the port.
        words: the words of `rmq tui` for each page.
    """
    from aiohttp import web
    from textual_serve.server import Server

    def check(request: web.Request) -> None:
        why = refusal(host, request.host, request.headers.get("Origin"))
        if why:
            raise web.HTTPForbidden(text=why)

    class OwnPages(Server):
        async def on_startup(self, app: web.Application) -> None:
            """Says nothing: the address has been said."""

        async def handle_index(self, request: web.Request) -> Any:
            check(request)
            self.public_url = f"http://{request.host}"
            answer = await super().handle_index(request)
            if isinstance(answer, web.Response):
                answer.text = _FONTS.sub("", answer.text or "").replace("</body>", f"{_FOCUS}</body>")
            return answer

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            check(request)
            return await super().handle_websocket(request)

    return OwnPages(shlex.join([sys.executable, "-m", "rmq", "tui", *words]), host=host, port=port, title="rmq")
