"""The mqadmin commands that Apache's tool recorded and ours is held to.

`scenario.tsv` has one step a line: number, exit code of our mqadmin (Apache's ends with 0 whatever happens), needs, and
the command line in shell quoting, where `{namesrv}`, `{broker}` (host:port), `{cluster}`, `{brokerName}`, `{dir}` (an
empty directory, also the one where the commands run), `{msgid:N}` (the first message id that step N printed),
`{offsetid:N}` (the first offset message id there) and `{ms:N}` (milliseconds since the epoch just before step N) are
filled in. Needs:

- `retry=N`: the output may need up to N seconds to become what it has to be.
- `again`, with `retry`: the state passes, so the step before is repeated as well.
- `kill=N`: the command does not end; it is stopped after N seconds, or as soon as the lines of `head` are there.
- `head=N`: only the first N lines count.
- `fresh`: no client of an earlier command is connected any more.

Lines with `@` set the stage: `@sleep S`; `@write FILE TEXT`; `@cat FILE`, whose contents are its output;
`@live start TOPIC` and `@live stop`: official Java clients, a push consumer of GID_live and a producer of PID_live, are
connected in between. `@live consumed N` waits until N messages have come to that consumer since `@live forget`.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("scenario.tsv")


@dataclass(frozen=True)
class Step:
    """One line of the scenario."""

    number: str
    exit: int
    line: str
    retry: float = 0.0
    again: bool = False
    kill: float = 0.0
    head: int = 0
    fresh: bool = False

    @property
    def command(self) -> str:
        """The subcommand in lower case, or the `@` word."""
        return self.line.split(maxsplit=1)[0].lower()

    @property
    def printing(self) -> bool:
        """Whether it has an output to compare."""
        return not self.line.startswith("@") or self.command == "@cat"

    def words(self, known: dict[str, str]) -> list[str]:
        """The arguments, placeholders filled in."""
        return [_PLACEHOLDER.sub(lambda match: known[match[1]], word) for word in shlex.split(self.line)]


_PLACEHOLDER = re.compile(r"\{([a-zA-Z]+(?::\w+)?)\}")


def _step(row: str) -> Step:
    number, exit_code, needs, line = row.split("\t")
    facts = dict(need.partition("=")[::2] for need in needs.split(","))
    return Step(
        number,
        0 if exit_code == "-" else int(exit_code),
        line,
        retry=float(facts.get("retry", 0)),
        again="again" in facts,
        kill=float(facts.get("kill", 0)),
        head=int(facts.get("head", 0)),
        fresh="fresh" in facts,
    )


STEPS = [_step(row) for row in _FILE.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]

PARSER_LINES = [
    "topicRoute",
    "updateTopic -t T",
    "updateTopic -h",
    "updateTopic -b 127.0.0.1:1 -c C -t T",
    "topicRoute -t",
    "topicList -zz",
    "topicList --nosuch",
    "sendMessage -p hello",
    "consumeMessage -t T --b x",
    "updateSubGroup -g G --consume true",
    "clusterList -h",
    "topicList --help",
    "getBrokerConfig",
    "QUERYMSGBYID -t T",
    "consumerProgress -h",
    "updateSubGroup",
    "topicStatus --topic",
    "queryMsgByKey -t T -k",
]
"""Command lines that the parser answers alone."""


def first_message_id(text: str) -> str | None:
    """The first message id in an output."""
    match = re.search(r"\b[0-9A-F]{32}\b", text)
    return match[0] if match else None


def first_offset_id(text: str) -> str | None:
    """The first offset message id in an output."""
    match = re.search(r"(?:OffsetID: +|offsetMsgId=)([0-9A-F]{32})\b", text)
    return match[1] if match else None


def synopsis_of(page: str) -> str:
    """The usage lines of a command's page; the rest of it is in words of our own."""
    lines = page.split("\n")
    end = next((index for index, line in enumerate(lines) if re.match(r" {1,4}-", line)), len(lines))
    return "\n".join(lines[:end])


def refusal_of(text: str) -> str:
    """What the parser said, without the help of the options that it quotes."""
    return re.sub(r"(?<=[\[ ])(-\w) .*?(?=, -\w |\])", r"\1 <help>", text.split("\n", maxsplit=1)[0])
