"""Settings as they travel."""

import pytest

from rmq.client.admin.properties import parse_properties, properties_text
from rmq.settings.load import parse_properties as server_reads


def test_lines_are_read_as_java_reads_them() -> None:
    text = "#comment\n!comment\na=1\n\nlevels=1s 5s\nexpression=x=y\nempty=\nnonsense\nb =  2\n"
    assert parse_properties(text) == {"a": "1", "levels": "1s 5s", "expression": "x=y", "empty": "", "b": "2"}


def test_escapes_are_undone() -> None:
    text = "path=C\\:\\\\store\nlines=a\\nb\\tc\nname=\\u8d85\\ud83d\\ude00\nodd=\\q\\u12\n"
    assert parse_properties(text) == {"path": "C:\\store", "lines": "a\nb\tc", "name": "超😀", "odd": "qu12"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("1s 5s", "1s 5s"),
        ("x=y:z#!", "x=y:z#!"),
        ("", ""),
        (" a ", "\\ a "),
        ("C:\\new", "C:\\\\new"),
        ("a\nb", "a\\nb"),
        ("ü😀", "\\u00fc\\ud83d\\ude00"),
    ],
)
def test_what_is_written_reads_back(value: str, written: str) -> None:
    text = properties_text({"key": value})
    assert text == f"key={written}\n".encode("ascii")
    assert parse_properties(text.decode()) == {"key": value}


def test_keys_are_escaped_too() -> None:
    assert properties_text({"a=b c:d": "1"}) == b"a\\=b\\ c\\:d=1\n"


def test_our_servers_read_what_is_written() -> None:
    values = {"plain": "1s 5s", "path": "C:\\new", "odd key": "超😀", "blank": " x", "lines": "a\nb"}
    read = {entry.key: entry.text for entry in server_reads(properties_text(values).decode())}
    assert read == values
