"""Signed requests: with them a client shows who it is to servers that check it.

What is signed are the values of the header's fields, in the order of their names, and the body. Names, code and the
rest of the frame are not.

Source: AclClientRPCHook, AclUtils.combineRequestContent, AclSigner.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final

from rmq.wire.command import Command, Ext

ACCESS_KEY: Final = "AccessKey"
SECURITY_TOKEN: Final = "SecurityToken"
SIGNATURE: Final = "Signature"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a client is.

    Attributes:
        access_key: the user's name.
        secret_key: the user's password; it is never sent.
        security_token: goes along with the request; none when empty.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)

    def sign(self, command: Command) -> None:
        """Adds name, token and signature to a request; its fields and body must not change any more."""
        command.ext = {**command.ext, ACCESS_KEY: self.access_key}
        if self.security_token:
            command.ext[SECURITY_TOKEN] = self.security_token
        command.ext[SIGNATURE] = signature(self.secret_key, command.ext, command.body)


def signature(secret_key: str, ext: Ext, body: bytes) -> str:
    """The signature of a request: HMAC-SHA1 in base64.

    Args:
        secret_key: the user's password.
        ext: the header's fields; a signature among them does not count.
        body: the payload.
    """
    # Few requests are signed, and a command that signs none shall not wait for this to load.
    import hmac

    values = "".join(ext[name] for name in sorted(ext) if name != SIGNATURE)
    return base64.b64encode(hmac.digest(secret_key.encode(), values.encode() + body, "sha1")).decode()
