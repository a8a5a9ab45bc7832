"""Properties read by what repeats in them mean what the plain parser says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import sendproperties
from rmq.wire.message import parse_properties, tags_code
from rmq.wire.sendproperties import PropertyFacts, SendProperties

SPECIAL = frozenset({"DELAY", "CLUSTER"})
ID = "7F00000100012A9F00000000000000AB"

PIECES = st.sampled_from(
    ["UNIQ_KEY", "XUNIQ_KEY", "TAGS", "WAIT", "DELAY", "KEYS", "false", "é", ID, "A", "", "\x01", "\x02"]
)
READER = SendProperties(SPECIAL)


def check(text: str, reader: SendProperties = READER) -> tuple[bytes | None, PropertyFacts]:
    properties = parse_properties(text)
    unique_id, facts = reader.read(text.encode())
    assert unique_id == (properties["UNIQ_KEY"].encode() if "UNIQ_KEY" in properties else None)
    assert facts[:3] == (
        tags_code(properties.get("TAGS")), properties.get("WAIT") != "false", not SPECIAL.isdisjoint(properties),
    )  # fmt: skip
    return unique_id, facts


@pytest.mark.parametrize(
    "text",
    [
        f"UNIQ_KEY\x01{ID}\x02WAIT\x01false\x02TAGS\x01A\x02",
        f"TAGS\x01A\x02UNIQ_KEY\x01{ID}\x02WAIT\x01false\x02",
        f"WAIT\x01false\x02TAGS\x01A\x02UNIQ_KEY\x01{ID}\x02",
        f"WAIT\x01false\x02TAGS\x01A\x02UNIQ_KEY\x01{ID}",
    ],
)
def test_the_id_may_stand_anywhere(text: str) -> None:
    assert check(text) == (ID.encode(), PropertyFacts(tags_code("A"), False, False, None))


@pytest.mark.parametrize(
    ("text", "unique_id"),
    [
        ("", None),
        ("UNIQ_KEY\x01", None),
        ("UNIQ_KEY\x01\x02", None),
        ("UNIQ_KEY\x01\x02UNIQ_KEY\x01B\x02", b"B"),
        ("UNIQ_KEY\x01A\x02UNIQ_KEY\x01B\x02", b"B"),
        ("XUNIQ_KEY\x01A\x02", None),
        ("XUNIQ_KEY\x01A\x02UNIQ_KEY\x01B\x02", b"B"),
        ("UNIQ_KEY\x01A\x01B\x02", b"A\x01B"),
        ("UNIQ_KEY\x01é\x02", "é".encode()),
    ],
)
def test_other_ids(text: str, unique_id: bytes | None) -> None:
    assert check(text)[0] == unique_id


def test_special_names_are_told() -> None:
    assert check("UNIQ_KEY\x01A\x02DELAY\x010\x02")[1].special
    assert not check("UNIQ_KEY\x01A\x02DELAYED\x010\x02")[1].special


@given(st.lists(PIECES, max_size=14).map("".join) | st.lists(
    st.tuples(PIECES, PIECES).map("\x01".join), max_size=6).map("\x02".join))
def test_any_text_means_the_same_both_ways(text: str) -> None:
    check(text)
    check(text)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sendproperties, "_MOST_KNOWN", 5)
    reader = SendProperties(SPECIAL)
    for number in range(23):
        check(f"UNIQ_KEY\x01{number:032X}\x02TAGS\x01{number}\x02", reader)
        assert len(reader._known) <= 5
    check("KEYS\x01" + "x" * 600, reader)
    assert max(map(len, reader._known)) < 600
