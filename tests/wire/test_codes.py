"""Numbers both sides know."""

import pytest

from rmq.wire.codes import LANGUAGE, LANGUAGES, MAX_FRAME, VERSION, ResponseCode, version_name


@pytest.mark.parametrize(
    ("ordinal", "name"),
    [
        (-1, "V3_0_0_SNAPSHOT"),
        (0, "V3_0_0_SNAPSHOT"),
        (1, "V3_0_0_ALPHA1"),
        (28, "V3_0_7_SNAPSHOT"),
        (37, "V3_0_11"),
        (62, "V3_1_8_SNAPSHOT"),
        (121, "V3_4_9"),
        (213, "V4_0_0"),
        (232, "V4_1_0_SNAPSHOT"),
        (233, "V4_1_0"),
        (317, "V4_5_2"),
        (333, "V4_6_0"),
        (353, "V4_7_0"),
        (373, "V4_8_0"),
        (393, "V4_9_0"),
        (399, "V4_9_3"),
        (401, "V4_9_4"),
        (409, "V4_9_8"),
        (413, "V5_0_0"),
        (433, "V5_1_0"),
        (453, "V5_2_0"),
        (473, "V5_3_0"),
        (475, "V5_3_1"),
        (479, "V5_3_3"),
        (481, "V5_3_4"),
        (493, "V5_4_0"),
        (611, "V5_9_9"),
        (612, "HIGHER_VERSION"),
        (40000, "HIGHER_VERSION"),
    ],
)
def test_versions(ordinal: int, name: str) -> None:
    assert version_name(ordinal) == name


def test_our_version() -> None:
    assert version_name(VERSION) == "V5_4_0"


def test_languages_stand_at_their_codes() -> None:
    assert [LANGUAGES.index(name) for name in ("JAVA", "CPP", "PYTHON", "GO", "RUST", "NODE_JS")] == [
        0,
        1,
        3,
        9,
        12,
        13,
    ]
    assert LANGUAGE == "PYTHON"


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("SUCCESS", 0),
        ("SYSTEM_ERROR", 1),
        ("SYSTEM_BUSY", 2),
        ("REQUEST_CODE_NOT_SUPPORTED", 3),
        ("MESSAGE_ILLEGAL", 13),
        ("SERVICE_NOT_AVAILABLE", 14),
        ("NO_PERMISSION", 16),
        ("TOPIC_NOT_EXIST", 17),
        ("PULL_NOT_FOUND", 19),
        ("PULL_RETRY_IMMEDIATELY", 20),
        ("PULL_OFFSET_MOVED", 21),
        ("QUERY_NOT_FOUND", 22),
        ("SUBSCRIPTION_GROUP_NOT_EXIST", 26),
        ("INVALID_PARAMETER", 29),
        ("CONSUMER_NOT_ONLINE", 206),
        ("ILLEGAL_OPERATION", 604),
        ("GO_AWAY", 1500),
    ],
)
def test_response_codes(code: str, number: int) -> None:
    assert ResponseCode[code] == number


def test_the_frame_limit_is_apaches() -> None:
    assert MAX_FRAME == 16777216
