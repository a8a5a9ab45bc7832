"""What brokers say of themselves."""

from rmq.client.admin.brokers import parse_properties


def test_settings_are_lines_and_nothing_is_escaped() -> None:
    text = "#comment\na=1\n\nlevels=1s 5s\nexpression=x=y\\n\nempty=\nnonsense\n"
    assert parse_properties(text) == {"a": "1", "levels": "1s 5s", "expression": "x=y\\n", "empty": ""}
