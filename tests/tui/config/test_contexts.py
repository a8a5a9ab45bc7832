"""The configuration file: what it may say, and what is said about what it may not."""

from pathlib import Path

import pytest

from rmq.tui.config.contexts import Config, ConfigError, Context, Mode, parsed, read_config, seconds
from rmq.wire.signing import Credentials

PATH = Path("/home/me/.config/rmq/tui.toml")
SAMPLE = Path(__file__).parents[3] / "conf" / "tui.toml"

WHOLE = """
context = "prod"
theme = "nord"
refresh = "1m"

[contexts.local]
namesrv = "127.0.0.1:9876"

[contexts.prod]
namesrv = ["10.0.0.1:9876", "10.0.0.2:9876"]
mode = "protected"
colour = "#ff8800"
production = true
refresh = 5
theme = "gruvbox"
access_key = "operator"
secret_key = "its secret"

[contexts.prod.address_map]
"172.17.0.3:10911" = "127.0.0.1:10911"

[keymap]
"app.theme" = "f2"
"""


def test_everything_that_it_may_say() -> None:
    prod = Context(
        "prod",
        ("10.0.0.1:9876", "10.0.0.2:9876"),
        Mode.PROTECTED,
        "#ff8800",
        True,
        5.0,
        "gruvbox",
        {"172.17.0.3:10911": "127.0.0.1:10911"},
        Credentials("operator", "its secret"),
    )
    contexts = {"local": Context("local", ("127.0.0.1:9876",)), "prod": prod}
    assert parsed(WHOLE, PATH) == Config(PATH, contexts, "prod", "nord", 60.0, {"app.theme": "f2"})
    assert prod.style == "bold #ff8800"
    assert "its secret" not in repr(prod)
    assert parsed("", PATH) == Config(PATH)


def test_the_sample() -> None:
    local = Context("local", ("127.0.0.1:9876",), Mode.CONFIRM, "green")
    assert read_config(SAMPLE) == Config(SAMPLE, {"local": local}, "local", "textual-dark", 2.0)


def test_the_sample_with_what_is_commented_out(tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "tui.toml"
    # What is commented out has no blank behind the mark; sentences have one.
    path.write_text("\n".join(line.removeprefix("#") if line[:2] != "# " else "" for line in lines))
    config = read_config(path)
    assert config.contexts["prod"].production
    assert config.contexts["prod"].address_map == {"172.17.0.3:10911": "127.0.0.1:10911"}
    assert config.contexts["prod"].credentials == Credentials("operator", "its password")
    assert config.keymap == {"app.theme": "f2"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("context =", "is not TOML: Invalid value (at end of document)"),
        ("them = 'x'", "them: is unknown; did you mean theme?"),
        ("zzz = 'x'", "zzz: is unknown; known are context, theme, refresh, contexts, keymap"),
        ("theme = 3", "theme: a text in quotes is expected, not 3"),
        ("refresh = 'soon'", "refresh: 'soon': a span such as 500ms, 2s or 1m is expected"),
        ("refresh = '1ms'", "refresh: '1ms': 200ms to 60m are allowed"),
        ("context = 'prod'", "context: there is no [contexts.prod]; there are: none"),
        ("contexts = 1", "contexts: a table is expected: write it as [contexts]"),
        ("[contexts.a]", 'contexts.a.namesrv: is missing; for example: namesrv = "10.0.0.1:9876"'),
        ("[contexts.a]\nnamesrv = 'x'", "contexts.a.namesrv: 'x': host:port is expected, several joined by ;"),
        ("[contexts.a]\nnamesrv = 'x:1'\nmod = 'x'", "contexts.a.mod: is unknown; did you mean mode?"),
        (
            "[contexts.a]\nnamesrv = 'x:1'\nmode = 'x'",
            "contexts.a.mode: 'x': there are read-only, confirm, protected",
        ),
        (
            "[contexts.a]\nnamesrv = 'x:1'\ncolour = 'plaid'",
            "contexts.a.colour: 'plaid' is no colour; use a name such as red, or #ff8800",
        ),
        (
            "[contexts.a]\nnamesrv = 'x:1'\nproduction = 'yes'",
            "contexts.a.production: true or false is expected, not 'yes'",
        ),
        (
            "[contexts.a]\nnamesrv = 'x:1'\naddress_map = {'b' = 'c:1'}",
            'contexts.a.address_map."b": \'b\' is not host:port; write "10.0.0.1:10911" = "127.0.0.1:10911"',
        ),
        (
            "[contexts.a]\nnamesrv = 'x:1'\naccess_key = 'x'",
            "contexts.a.secret_key: is missing: access_key and secret_key are needed together",
        ),
        ("[keymap]\na = 1", "keymap.a: a text in quotes is expected, not 1"),
    ],
)
def test_what_it_may_not_say(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(text, PATH)
    assert str(caught.value) == f"{PATH}: {complaint}"


def test_files(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert read_config(missing) == Config(missing)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_config(tmp_path)
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read: it is not UTF-8"):
        read_config(bad)


@pytest.mark.parametrize(("text", "value"), [("2s", 2.0), ("500ms", 0.5), ("1m", 60.0), ("3", 3.0)])
def test_spans(text: str, value: float) -> None:
    assert seconds(text) == value
