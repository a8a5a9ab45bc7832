"""Records Java's hashes: `python -m tests.golden.record_hashes` writes tests/golden/hashes.json.

The file holds a topic and, for each text, its code as a tag and its hash as a key of that topic, as Apache's broker
computes them. The texts are made from a fixed seed: every length up to 70, ids, numbers, all planes of Unicode, and
pairs that collide.
"""

import json
import random
from pathlib import Path

from tests.kit.apachehashes import ApacheHashes

RECORDING = Path(__file__).with_name("hashes.json")
TOPIC = "Hashes-杭州"
COLLIDING = ("Aa", "BB", "AaAa", "BBBB", "AaBB", "BBAa", "polygenelubricants", "Siblings", "Teheran")
_ALPHABETS = (
    "0123456789ABCDEF", "abcXYZ_-%|", "äöüß€ ", "杭州键值", "\U0001f600\U0001d7d3𐀀", "\x00\x7f\x80\uffff\ud7ff",
)  # fmt: skip


def texts() -> list[str]:
    """What is hashed."""
    chosen = random.Random(1)
    made = ["", *COLLIDING]
    for length in range(1, 71):
        made += ["".join(chosen.choices(alphabet, k=length)) for alphabet in _ALPHABETS]
    made += ["".join(chosen.choices("0123456789ABCDEF", k=length)) for length in (32, 56) for _ in range(40)]
    made += ["x" * length for length in (255, 256, 257, 511, 512, 513, 5000)]
    return list(dict.fromkeys(made))


if __name__ == "__main__":
    apache = ApacheHashes()
    answer = apache.ask(TOPIC, texts())
    apache.close()
    table = {text: [code, key] for text, code, key in zip(texts(), answer["tags"], answer["keys"], strict=True)}
    RECORDING.write_text(json.dumps({"topic": TOPIC, "hashes": table}, indent=0) + "\n", encoding="utf-8")
