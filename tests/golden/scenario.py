"""The mqadmin commands whose output Apache's tool recorded and ours is held to, in order: later ones need earlier ones.

`{broker}`, `{namesrv}` and `{msgid:LABEL}` (the first message id that the labelled step printed) are filled in. Lines
that begin with `@` set the stage over the bare protocol: `@offset GROUP TOPIC QUEUE OFFSET` commits an offset,
`@connect` and `@disconnect` keep a consumer of GID_live and a producer of PID_live connected in between.

How an output is compared: `rows` sorts its lines, for lists whose order is that of a Java hash map; `heads` keeps only
heading lines. Everywhere ids, times, ports, rates and physical offsets are replaced by placeholders.
"""

import re
import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One command line.

    Attributes:
        line: the words after `mqadmin`, quoted as in a shell.
        exit: our exit code; Apache's is 0 except where the parser refuses.
        label: a name for `{msgid:LABEL}`.
        eventually: the output may need some seconds to become what was recorded.
        rows: the order of lines does not matter.
        heads: only heading lines are compared.
        differs: why our output is not Apache's; ours is not compared then.
    """

    line: str
    exit: int = 0
    label: str = ""
    eventually: bool = False
    rows: bool = False
    heads: bool = False
    differs: str = ""

    @property
    def staged(self) -> bool:
        """Whether it is no mqadmin command."""
        return self.line.startswith("@")

    @property
    def alone(self) -> bool:
        """Whether Apache's command needs a JVM of its own: it stays connected until that ends."""
        return self.line.startswith("consumeMessage")

    def words(self, known: dict[str, str]) -> list[str]:
        """The arguments, placeholders filled in."""
        return [_PLACEHOLDER.sub(lambda match: known[match[1]], word) for word in shlex.split(self.line)]


_PLACEHOLDER = re.compile(r"\{([a-z]+(?::\w+)?)\}")
_C = "-c DefaultCluster"
_UNKNOWN_CLUSTER = "an unknown cluster is no success"

STEPS = [
    Step("clusterList"),
    Step("clusterList -m"),
    Step(f"clusterList {_C}"),
    Step("clusterList -c nope", exit=1),
    Step("topicList", rows=True, eventually=True),
    Step("topicList -c", rows=True),
    Step("TOPICLIST", rows=True),
    Step("getBrokerConfig -b {broker}", heads=True),
    Step(f"getBrokerConfig {_C}", heads=True),
    Step("getBrokerConfig -c nope", exit=1),
    Step("brokerStatus -b {broker}"),
    Step(f"brokerStatus {_C}"),
    Step("brokerStatus -c nope", exit=1),
    Step("consumerProgress"),
    Step("topicClusterList -t broker-a"),
    Step("topicRoute -t broker-a"),
    Step("topicRoute -t TBW102"),
    Step("topicStatus -t broker-a"),
    # topics
    Step(f"updateTopic {_C} -t T_two -r 2 -w 2"),
    Step("updateTopic -b {broker} -t T_one -r 1 -w 1"),
    Step("updateTopic -b {broker} -t T_default"),
    Step("updateTopic -b {broker} -t T_ro -r 3 -w 5 -p 4"),
    Step("updateTopic -b {broker} -t T_unit -r 1 -w 1 -u true -s true"),
    Step(f"updateTopic {_C} -t T_order -r 4 -w 4 -o true"),
    Step("updateTopic -b {broker} -t T_orderb -r 2 -w 2 -o true"),
    Step("updateTopic -b {broker} -t T_fifo -r 1 -w 1 -a +message.type=FIFO"),
    Step("updateTopic -b {broker} -t T_attr -r 1 -w 1 --attributes +message.type=DELAY"),
    Step("updateTopic -b {broker} -t T_attr2 -r 1 -w 1 -a message.type=FIFO", exit=2),
    Step("updateTopic -b {broker} -t T_attr3 -r 1 -w 1 -a +nosuch.key=1", exit=1),
    Step("updateTopic -b {broker} -t T_attr4 -r 1 -w 1 -a +message.type=WRONG", exit=1),
    Step("updateTopic -b {broker} -t T_attr -r 1 -w 1 -a -message.type"),
    Step("updateTopic -b {broker} -t T_bad -r abc", exit=2),
    Step("updateTopic -b {broker} -t T_bad -p 9", exit=1),
    Step("updateTopic -b {broker} -t 'T bad'", exit=1),
    Step("updateTopic -b {broker} -t ''", exit=1),
    Step("updateTopic -b {broker} -t TBW102", exit=1),
    Step("updateTopic -c nope -t T_bad", exit=1),
    Step("updateTopic -c nope -t T_bad -o true", exit=1),
    Step("updateTopic -b 127.0.0.1:1 -t T_bad", exit=1),
    Step("topicRoute -t T_two", eventually=True),
    Step("topicRoute -t T_two -l", eventually=True),
    Step("topicRoute -t T_order", eventually=True),
    Step("topicRoute -t T_unit", eventually=True),
    Step("topicRoute -t T_ro -l", eventually=True),
    Step("topicRoute -t nope", exit=1),
    Step("topicRoute -t nope -l", exit=1),
    Step("topicStatus -t T_two"),
    Step("topicStatus -t T_ro"),
    Step("topicStatus -t T_two -c T_two"),
    Step("topicStatus -t nope", exit=1),
    Step("topicClusterList -t T_two"),
    Step("topicClusterList -t nope", exit=1),
    Step("topicList", rows=True, eventually=True),
    Step("topicList -c", rows=True, eventually=True),
    Step(f"updateTopic {_C} -t T_gone -r 1 -w 1"),
    Step(f"deleteTopic {_C} -t T_gone"),
    Step(f"deleteTopic {_C} -t T_gone"),
    Step("deleteTopic -c nope -t T_one", exit=1, differs=_UNKNOWN_CLUSTER),
    Step(f"deleteTopic {_C} -t SELF_TEST_TOPIC", exit=1),
    Step("topicRoute -t T_gone", exit=1, eventually=True),
    # messages
    Step("sendMessage -t T_two -p 'Hello RocketMQ 1' -k key1 -c TagA -b broker-a -i 0", label="first"),
    Step("sendMessage -t T_two -p 'Hello RocketMQ 2' -k key2 -c TagB -b broker-a -i 1", label="second"),
    Step("sendMessage -t T_two -p 'Hello RocketMQ 3' -k 'key1 key3' -c TagA -b broker-a -i 0", label="third"),
    Step("sendMessage -t T_two -p 'no key, no tag' -b broker-a -i 1", label="fourth"),
    Step("sendMessage -t T_one -p 'one queue'"),
    Step("sendMessage -t T_one -p second -k one -c T", label="one"),
    Step("sendMessage -t T_two -p x -i 0", exit=2),
    Step("sendMessage -t T_two -p x -b broker-a -i 9", exit=1),
    Step("sendMessage -t T_two -p x -b nope -i 0", exit=1),
    Step("sendMessage -t T_two -p x -b broker-a -i z", exit=2),
    Step("sendMessage -t T_ro -p x -b broker-a -i 0"),
    Step("sendMessage -t T_auto -p 'creates its topic' -b broker-a -i 0"),
    Step("sendMessage -t T_two -p '' -b broker-a -i 0", exit=1),
    Step("sendMessage -t 'bad topic' -p x", exit=1),
    Step("topicRoute -t T_auto -l", eventually=True),
    Step("topicStatus -t T_two", eventually=True),
    Step("queryMsgByKey -t T_two -k key1", eventually=True),
    Step("queryMsgByKey -t T_two -k key3"),
    Step("queryMsgByKey -t T_two -k key1 -m 1"),
    Step("queryMsgByKey -t T_two -k nokey", exit=1),
    Step("queryMsgByKey -t nope -k key1", exit=1),
    Step("queryMsgByKey -t T_two -k key1 -b 0 -e 1000", exit=1),
    Step("queryMsgByKey -t T_two -k TagA -p T"),
    Step("queryMsgByKey -t T_two -k key1 -p X", exit=2),
    Step("queryMsgById -t T_two -i {msgid:first}"),
    Step("queryMsgById -t T_two -i {msgid:second} -f UTF-8"),
    Step("queryMsgById -t T_two -i {msgid:first},{msgid:fourth}"),
    Step("queryMsgById -t T_two -i 00000000000000000000000000000000", exit=1),
    Step("queryMsgById -t T_two -i nonsense", exit=1),
    Step("queryMsgById -t nope -i {msgid:first}", exit=1),
    Step("queryMsgById -t T_one -i {msgid:first}", exit=1),
    Step("queryMsgById -t T_one -i {msgid:one} -s true"),
    Step("consumeMessage -t T_two -b broker-a -i 0"),
    Step("consumeMessage -t T_two -b broker-a -i 0 -o 1 -c 1"),
    Step("consumeMessage -t T_one"),
    Step("consumeMessage -t T_one -g GID_tool"),
    Step("consumeMessage -t T_two -b broker-a -i 0 -o 7"),
    Step("consumeMessage -t T_two -b broker-a -i 0 -s 1000 -e 2000"),
    Step("consumeMessage -t T_two -b broker-a -i 0 -c 1"),
    Step("consumeMessage -t T_two -c 0", exit=2),
    Step("consumeMessage -t T_two -i 0", exit=2),
    Step("consumeMessage -t T_two -b broker-a -o 0", exit=2),
    Step("consumeMessage -t T_two -s 99999999999999", exit=2),
    Step("consumeMessage -t T_two -s 2000 -e 1000", exit=2),
    Step("consumeMessage -t nope", exit=1),
    # groups
    Step(f"updateSubGroup {_C} -g GID_a"),
    Step("updateSubGroup -b {broker} -g GID_b -s true -m false -d true -q 2 -r 3 -i 0 -w 1 -a true"),
    Step("updateSubGroup -b {broker} -g GID_c -o true --attributes +nosuch=1", exit=1),
    Step(
        "updateSubGroup -b {broker} -g GID_d -p"
        """ '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":10000,"multiplier":2}}'"""
    ),
    Step("updateSubGroup -g GID_x", exit=2, differs="the page is in our own words"),
    Step("updateSubGroup -b {broker} -g GID_x -q abc", exit=2),
    Step("updateSubGroup -b {broker} -g 'GID x'", exit=1),
    Step("updateSubGroup -c nope -g GID_x", exit=1),
    Step("updateSubGroup -b 127.0.0.1:1 -g GID_x", exit=1),
    Step("consumerProgress -g GID_a", exit=1),
    Step("consumerProgress -g nope", exit=1),
    Step("consumerConnection -g GID_a", exit=1),
    Step("consumerConnection -g GID_a -b {broker}", exit=1),
    Step("producerConnection -g nope -t T_two", exit=1),
    Step("producerConnection -g nope -t nope", exit=1),
    Step("updateTopic -b {broker} -t %RETRY%GID_a -r 1 -w 1"),
    Step("@offset GID_a T_two 0 1"),
    Step("@offset GID_a T_two 1 2"),
    Step("consumerProgress -g GID_a", eventually=True),
    Step("consumerProgress -g GID_a -t T_two"),
    Step(f"consumerProgress -g GID_a {_C}"),
    Step("consumerProgress -g GID_a -s true"),
    Step("consumerProgress", rows=True, eventually=True),
    Step("topicList -c", rows=True, eventually=True),
    # clients
    Step("@connect"),
    Step("consumerConnection -g GID_live", rows=True, eventually=True),
    Step("consumerConnection -g GID_live -b {broker}", rows=True),
    Step("producerConnection -g PID_live -t T_two"),
    Step("consumerProgress", rows=True, eventually=True),
    Step("queryMsgById -t T_two -i {msgid:first}", rows=True, eventually=True),
    Step("@disconnect"),
    # end
    Step("topicList -n 127.0.0.1:1", exit=1),
    Step("consumerProgress -n 127.0.0.1:1", exit=1),
    Step(f"deleteTopic {_C} -t T_two"),
    Step("topicRoute -t T_two", exit=1, eventually=True),
    Step("topicStatus -t T_two", exit=1),
    Step(f"deleteTopic {_C} -t T_order"),
    Step("topicList", rows=True, eventually=True),
]

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


# --- what differs from run to run ----------------------------------------------------------------------------------

_MASKS = [
    (re.compile(r"\b[0-9A-F]{32}(?![0-9A-F])"), "<id>"),
    (re.compile(r"(?<=commitLogDiskRatio_)/.+?(?= *: )"), "<path>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d{3})?"), "<time>"),
    (re.compile(r"\b1[6-9]\d{11}\b"), "<ms>"),
    (re.compile(r"(?<=<ms>@)(.*@)\d+ *$", re.MULTILINE), r"\1<offset>"),
    (re.compile(r"(?<=Offset: {4}) +\d+"), " <offset>"),
    (re.compile(r"(CommitLog Offset: {4})\d+"), r"\1<offset>"),
    (re.compile(r"(commitLogOffset=)\d+"), r"\1<offset>"),
    (re.compile(r"127\.0\.0\.1:\d+( *)"), "<client> "),
    (re.compile(r"(Consume TPS: )[0-9.]+"), r"\1<rate>"),
]
_STATUS_LINE = re.compile(r"^((?:<broker> +)?\w+(?:<path>)? *): .*$", re.MULTILINE)
_CLUSTER_ROW = re.compile(r"^(DefaultCluster +broker-a +0 +<broker> +)(.*)$", re.MULTILINE)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_HEAD = re.compile(r"^=+.*=+$")


def normalised(step: Step, text: str, known: dict[str, str]) -> str:
    """An output without what may differ from run to run."""
    text = text.replace(known["broker"], "<broker>").replace(known["namesrv"], "<namesrv>")
    for mask, placeholder in _MASKS:
        text = mask.sub(placeholder, text)
    command = step.line.split()[0].lower()
    if command == "brokerstatus":
        text = _STATUS_LINE.sub(r"\1: <value>", text)
    if command == "clusterlist":
        text = _CLUSTER_ROW.sub(lambda match: match[1] + " ".join(_NUMBER.sub("N", match[2]).split()), text)
        text = re.sub(r"^(DefaultCluster +broker-a) +\d+ +\d+ +\d+ +\d+$", r"\1 <totals>", text, flags=re.MULTILINE)
    lines = text.splitlines(keepends=True)
    if step.heads:
        lines = [line for line in lines if _HEAD.match(line.strip())]
    return "".join(sorted(lines) if step.rows else lines)


def first_message_id(text: str) -> str | None:
    """The first message id in an output."""
    match = re.search(r"\b[0-9A-F]{32}\b", text)
    return match[0] if match else None


def synopsis_of(page: str) -> str:
    """The usage lines of a command's page; the rest of it is in words of our own."""
    lines = page.split("\n")
    end = next((index for index, line in enumerate(lines) if re.match(r" {1,4}-", line)), len(lines))
    return "\n".join(lines[:end])


def refusal_of(text: str) -> str:
    """What the parser said, without the help of the options that it quotes."""
    return re.sub(r"(?<=[\[ ])(-\w) .*?(?=, -\w |\])", r"\1 <help>", text.split("\n", maxsplit=1)[0])
