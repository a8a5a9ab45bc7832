"""Rehearsal: what an operation would change, without changing it.

`HoldingBack` stands between a session and the network. Requests that are declared with `changes=True` go no further:
they are noted, and the operation gets an answer that says nothing (required fields of the reply empty or zero, an
empty body). All others pass, so that a wrong name fails in a rehearsal as it does in earnest. What an operation would
do after looking at the result of a change cannot be told this way.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from rmq.remoting.calls import SUCCESS, Answer, Invoker, accepted
from rmq.wire import fastjson
from rmq.wire.command import Command
from rmq.wire.declare import Declared, camel_case, encode_header, neutral_body, neutral_header, spec_of, to_plain

MASKED: Final = "******"
_NAMES: Final = "password|secret|credential|initAuthenticationUser"
_SECRET: Final = re.compile(_NAMES, re.IGNORECASE)
_SECRET_LINE: Final = re.compile(rf"(?im)^([\w. \t]*(?:{_NAMES})[\w. \t]*=).+$")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that would have been done.

    Attributes:
        action: `send` a request, or `write` a file.
        request: Apache's name of the request, "" for a file.
        code: the request code, 0 for a file.
        address: `host:port` of the server, "" for a file.
        path: the file, "" for a request.
        fields: header fields that have a value, by name, secrets masked.
        body: the JSON body, or the text of any other; the text of a file; None when there is none.
    """

    action: str
    request: str = ""
    code: int = 0
    address: str = ""
    path: str = ""
    fields: dict[str, Any] = dataclasses.field(default_factory=dict)
    body: Any = None


class HoldingBack:
    """An `Invoker` that holds back what changes something.

    Args:
        invoker: calls servers.

    Attributes:
        changes: what was held back, in order.
    """

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self.changes: list[Change] = []

    async def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = 3.0,
        accept: frozenset[int] = SUCCESS,
    ) -> Answer:
        """See `rmq.remoting.calls.Invoker`."""
        spec = spec_of(type(header))
        if not spec.changes:
            return await self._invoker.call(address, header, body, timeout=timeout, accept=accept)
        self._note(address, header, body)
        ext = encode_header(neutral_header(spec.reply)) if spec.reply is not None else {}
        payload = neutral_body(spec.reply_body) if spec.reply_body is not None else b""
        return accepted(header, Command(0, ext, payload), address, SUCCESS)

    async def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> None:
        """See `rmq.remoting.calls.Invoker`."""
        if spec_of(type(header)).changes:
            self._note(address, header, body)
        else:
            await self._invoker.send_oneway(address, header, body)

    def note_file(self, path: str, content: str | bytes) -> None:
        """Notes a file that would be written."""
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        self.changes.append(Change("write", path=path, body=text))

    def _note(self, address: str, header: Declared, body: bytes | Declared) -> None:
        spec = spec_of(type(header))
        fields = {
            camel_case(field.name): value
            for field in dataclasses.fields(header)
            if (value := getattr(header, field.name)) is not None
        }
        self.changes.append(
            Change("send", spec.name, spec.code, address, fields=_masked(fields), body=_body(body)),
        )


def names_secret(text: str) -> bool:
    """Whether a text names something whose value is a secret."""
    return _SECRET.search(text) is not None


def _body(body: bytes | Declared) -> Any:
    if not isinstance(body, bytes):
        written = fastjson.dumps(_masked(to_plain(body)), strict=True)
        try:
            return json.loads(written)
        except ValueError:
            # Maps whose keys are objects are JSON for fastjson only.
            return written
    return _SECRET_LINE.sub(rf"\1{MASKED}", body.decode("utf-8", "replace")) if body else None


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASKED if item is not None and names_secret(str(key)) else _masked(item)
            for key, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value
