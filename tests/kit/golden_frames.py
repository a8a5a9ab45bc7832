"""Frames that Apache 5.4.0 encoded (RemotingCommand.fastEncodeHeader), and the commands they mean."""

from rmq.wire.command import Command

_JSON_SEND = bytes.fromhex(
    "000001180000010f7b22636f6465223a3331302c226578744669656c6473223a7b2261223a2270222c2262223a22546f70696354"
    "657374222c2263223a22544257313032222c2264223a2234222c2265223a2233222c2266223a2230222c2267223a223137303030"
    "3030303030303030222c2268223a2230222c2269223a22544147535c7530303031415c7530303032222c226a223a2230222c226b"
    "223a2266616c7365222c226d223a2266616c7365222c226e223a2262726f6b65722d61227d2c22666c6167223a302c226c616e67"
    "75616765223a224a415641222c226f7061717565223a372c2273657269616c697a655479706543757272656e74525043223a224a"
    "534f4e222c2276657273696f6e223a3439337d68656c6c6f"
)
_JSON_REPLY = bytes.fromhex(
    "0000009e0000009a7b22636f6465223a31392c226578744669656c6473223a7b22656d707479223a22222c226bc3a9223a2276f0"
    "9f9880227d2c22666c6167223a312c226c616e6775616765223a224a415641222c226f7061717565223a2d322c2272656d61726b"
    "223a226e6f20e4b8ad222c2273657269616c697a655479706543757272656e74525043223a224a534f4e222c2276657273696f6e"
    "223a3439337d"
)
_JSON_ONEWAY = bytes.fromhex(
    "000000730000006f7b22636f6465223a33342c226578744669656c6473223a7b7d2c22666c6167223a322c226c616e6775616765"
    "223a224a415641222c226f7061717565223a312c2273657269616c697a655479706543757272656e74525043223a224a534f4e22"
    "2c2276657273696f6e223a3439337d"
)
_JSON_PULL = bytes.fromhex(
    "000000da000000d37b22636f6465223a302c226578744669656c6473223a7b2273756767657374576869636842726f6b65724964"
    "223a2230222c226e657874426567696e4f6666736574223a223333222c226d61784f6666736574223a223334222c226d696e4f66"
    "66736574223a2230222c22746f706963537973466c6167223a2230227d2c22666c6167223a312c226c616e6775616765223a224a"
    "415641222c226f7061717565223a392c2273657269616c697a655479706543757272656e74525043223a224a534f4e222c227665"
    "7273696f6e223a3439337d010203"
)
_ROCKETMQ_SEND = bytes.fromhex(
    "000000b4010000ab01360001ed00000007000000000000000000000096000161000000017000016200000009546f706963546573"
    "74000163000000065442573130320001640000000134000165000000013300016600000001300001670000000d31373030303030"
    "3030303030300001680000000130000169000000075441475301410200016a000000013000016b0000000566616c736500016d00"
    "00000566616c736500016e0000000862726f6b65722d6168656c6c6f"
)
_ROCKETMQ_REPLY = bytes.fromhex(
    "000000380100003400130001edfffffffe00000001000000066e6f20e4b8ad000000190005656d7074790000000000036bc3a900"
    "00000576f09f9880"
)
_ROCKETMQ_ONEWAY = bytes.fromhex(
    "000000190100001500220001ed00000001000000020000000000000000"
)
_ROCKETMQ_PULL = bytes.fromhex(
    "000000820100007b00000001ed00000009000000010000000000000066001473756767657374576869636842726f6b6572496400"
    "00000130000f6e657874426567696e4f666673657400000002333300096d696e4f6666736574000000013000096d61784f666673"
    "6574000000023334000c746f706963537973466c61670000000130010203"
)


def _command(serialize_type: int, **members: object) -> Command:
    command = Command(0, language="JAVA", version=493, serialize_type=serialize_type)
    for name, value in members.items():
        setattr(command, name, value)
    return command


def _send(serialize_type: int) -> Command:
    ext = {
        "a": "p",
        "b": "TopicTest",
        "c": "TBW102",
        "d": "4",
        "e": "3",
        "f": "0",
        "g": "1700000000000",
        "h": "0",
        "i": "TAGS\x01A\x02",
        "j": "0",
        "k": "false",
        "m": "false",
        "n": "broker-a",
    }
    return _command(serialize_type, code=310, ext=ext, opaque=7, body=b"hello")


def _reply(serialize_type: int, ext: dict[str, str]) -> Command:
    return _command(serialize_type, code=19, ext=ext, opaque=-2, flag=1, remark="no \u4e2d")


def _oneway(serialize_type: int) -> Command:
    return _command(serialize_type, code=34, opaque=1, flag=2)


def _pull(serialize_type: int) -> Command:
    ext = {
        "suggestWhichBrokerId": "0",
        "nextBeginOffset": "33",
        "minOffset": "0",
        "maxOffset": "34",
        "topicSysFlag": "0",
    }
    return _command(serialize_type, ext=ext, opaque=9, flag=1, body=b"\1\2\3")


GOLDEN: dict[str, tuple[bytes, Command]] = {
    "json-send": (_JSON_SEND, _send(0)),
    "json-reply": (_JSON_REPLY, _reply(0, {"empty": "", "k\u00e9": "v\U0001f600"})),
    "json-oneway": (_JSON_ONEWAY, _oneway(0)),
    "json-pull": (_JSON_PULL, _pull(0)),
    "binary-send": (_ROCKETMQ_SEND, _send(1)),
    # The binary header has no empty values: Apache writes the entry, and reads it as absent.
    "binary-reply": (_ROCKETMQ_REPLY, _reply(1, {"k\u00e9": "v\U0001f600"})),
    "binary-oneway": (_ROCKETMQ_ONEWAY, _oneway(1)),
    "binary-pull": (_ROCKETMQ_PULL, _pull(1)),
}
"""Name to the frame, its length field included, and what it means."""
