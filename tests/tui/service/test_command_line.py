"""Command lines as one would type them."""

from rmq.tui.service.command_line import command_line, masked


def test_command_lines() -> None:
    assert command_line((), "a:1") == ""
    assert command_line(("topicList",), "a:1") == "mqadmin topicList -n a:1"
    assert command_line(("topicRoute", "-t", "it's"), "a:1;b:1") == "mqadmin topicRoute -n 'a:1;b:1' -t 'it'\"'\"'s'"


def test_secrets_are_covered_up() -> None:
    line = command_line(("createUser", "-u", "it", "-p", "it's"), "a:1", ("it's", ""))
    assert line == "mqadmin createUser -n a:1 -u it -p '******'"
    assert masked("a secret, a secret", ("secret",)) == "a ******, a ******"
