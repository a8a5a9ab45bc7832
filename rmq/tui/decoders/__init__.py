"""How a message's body is shown: decoders, of this package and of others that are installed.

A decoder is announced as an entry point of the group `rmq.body_decoders`; its name there is what the interface calls
it. A package of yours may add one:

    [project.entry-points."rmq.body_decoders"]
    order = "shop.tui:OrderDecoder"

The entry point is loaded and called without arguments, and must give an object like this:

    class OrderDecoder:
        def matches(self, body: bytes) -> bool:
            \"\"\"Whether `auto` is to take this decoder for the body. May be left out: then it never does.\"\"\"
            return body.startswith(b"\\x01ORD")

        def decode(self, body: bytes, limit: int) -> Decoded:
            \"\"\"The body for the screen; raises `UndecodableError` when it is no order.\"\"\"
            order = Order.parse(body)
            return Decoded(f"order {order.number}", shown=len(body), of=len(body))

`limit` bounds what is shown: bytes of the body for a text. `Decoded` says how many bytes it shows of how many, and the
interface says so where that is not all. Instead of a text it may hold a `tree`: dicts, lists, texts, numbers, None;
or `unpacked`: bytes that `auto` is to show in the body's place.

Decoders work in a thread, not on the interface's loop. What they give is bounded once more, and characters that would
move a terminal's cursor or change its state are shown as what they are, so a decoder need not care. One that fails,
at its loading or at a body, is shown as a problem, and the others go on.
"""

from rmq.tui.decoders.decoded import Decoded, Decoder, DecoderError, UndecodableError

__all__ = ["Decoded", "Decoder", "DecoderError", "UndecodableError"]
