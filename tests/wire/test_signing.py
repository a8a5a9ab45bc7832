from rmq.wire.command import Command
from rmq.wire.signing import Credentials, signature

BODY = "körper".encode()


def test_values_in_the_order_of_their_names_and_the_body_are_signed() -> None:
    ext = {"topic": "T", "AccessKey": "user", "a": "1", "Z": "last of the capitals"}
    # printf 'userlast of the capitals1Tkörper' | openssl dgst -sha1 -hmac secret -binary | base64
    assert signature("secret", ext, BODY) == "cohBzSUupZpEeAZ/MHYGeM2RSac="
    assert signature("secret", {**ext, "Signature": "does not count"}, BODY) == signature("secret", ext, BODY)
    assert signature("other", ext, BODY) != signature("secret", ext, BODY)
    assert signature("secret", ext, b"") != signature("secret", ext, BODY)


def test_a_request_gets_name_and_signature_and_keeps_its_fields() -> None:
    fields = {"topic": "T"}
    command = Command(105, fields, BODY)
    Credentials("user", "secret").sign(command)
    assert command.ext == {
        "topic": "T",
        "AccessKey": "user",
        "Signature": signature("secret", {"AccessKey": "user", "topic": "T"}, BODY),
    }
    assert fields == {"topic": "T"}, "whoever else has them does not get the keys"


def test_a_token_is_signed_too() -> None:
    command = Command(105, {"topic": "T"})
    Credentials("user", "secret", "token").sign(command)
    signed = {"AccessKey": "user", "SecurityToken": "token", "topic": "T"}
    assert command.ext == {**signed, "Signature": signature("secret", signed, b"")}


def test_secrets_are_not_shown() -> None:
    assert repr(Credentials("user", "secret", "token")) == "Credentials(access_key='user')"
