"""Records what Apache's SQL92 filter says: `python -m tests.golden.record_filter` writes tests/golden/filter.json.

The file maps each expression of `filter_cases` to the text with which Apache refuses it, as a list of one text, or to
one letter for each message: t(rue), f(alse), n(ull), e(rror).
"""

import json
from pathlib import Path

from tests.golden.filter_cases import EXPRESSIONS, MESSAGES
from tests.kit.apachefilter import ApacheFilter

RECORDING = Path(__file__).with_name("filter.json")
_LETTERS = {"true": "t", "false": "f", "null": "n", '"error"': "e"}


def record() -> dict[str, str | list[str]]:
    """Asks for everything."""
    apache = ApacheFilter()
    try:
        recorded: dict[str, str | list[str]] = {}
        for expression in EXPRESSIONS:
            answer = apache.ask(expression, MESSAGES)
            if "refused" in answer:
                recorded[expression] = [answer["refused"].partition("\n")[0]]
            else:
                recorded[expression] = "".join(_LETTERS[json.dumps(value)] for value in answer["answers"])
        return recorded
    finally:
        apache.close()


if __name__ == "__main__":
    RECORDING.write_text(json.dumps(record(), indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
