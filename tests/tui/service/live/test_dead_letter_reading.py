"""Dead letters as they are shown: where from, and the beginning of the body."""

import pytest

from rmq.tui.service.live.dead_letter_reading import PREVIEW, groups_in, original_topic, preview_of


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"id": 17}', '{"id": 17}'),
        ("zwölf €\n\tBücher".encode(), "zwölf €  Bücher"),
        (b"", ""),
        (b"\xff\x00\x80", "ff 00 80"),
        (b"a\x1b[2Jb", "61 1b 5b 32 4a 62"),
        (b"x" * 5000, "x" * PREVIEW),
        ("€".encode() * 400, "€" * PREVIEW),
    ],
)
def test_beginnings_of_bodies(body: bytes, text: str) -> None:
    assert preview_of(body) == text


def test_a_letter_that_is_cut_inside_a_character_is_text() -> None:
    body = b"a" + "ü".encode() * 4000
    assert preview_of(body) == "a" + "ü" * (PREVIEW - 1)


def test_the_topic_that_a_letter_was_sent_to() -> None:
    assert original_topic({"RETRY_TOPIC": "Orders", "DLQ_ORIGIN_TOPIC": "%RETRY%g"}) == "Orders"
    assert original_topic({"DLQ_ORIGIN_TOPIC": "Orders"}) == "Orders"
    assert original_topic({}) == ""


def test_groups_by_their_topics() -> None:
    assert groups_in(["%DLQ%b", "Orders", "%RETRY%b", "%DLQ%a"], "%DLQ%") == ["a", "b"]
