"""An output without what may differ from run to run.

First addresses and directories become `<namesrv>`, `<broker>`, `<dir>`, `<home>`: that form is recorded. Then ids,
times, client ports, physical offsets and rates become placeholders, and what has a Java hash map's order is sorted.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.golden.scenario import Step


def placed(text: str, known: dict[str, str]) -> str:
    """An output with the addresses and the directory of its run taken out."""
    for name in ("dir", "home", "broker", "namesrv"):
        text = text.replace(known[name], f"<{name}>")
    return text


def canonical(step: Step, text: str) -> str:
    """A placed output as it is compared."""
    if step.command == "@cat":
        return _document(text)
    if step.head:
        text = "".join(text.splitlines(keepends=True)[: step.head])
    text = _JAVA_MAP.sub(_sorted_map, _masked(text))
    return _BY_COMMAND.get(step.command, _same)(text)


def without_frames(text: str) -> str:
    """The chain of exceptions that Apache's tool wrote on stderr, without stack frames."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not re.match(r"\s+(at |\.\.\. \d+ (more|common))", line))


def complaint(text: str) -> str:
    """What stands on stderr, as it is compared."""
    return _JAVA_SET.sub(_sorted_set, _masked(without_frames(text)))


# --- what varies everywhere ----------------------------------------------------------------------------------------

_MASKS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\b[0-9A-F]{32}(?![0-9A-F])"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d{3})?"), "<time>"),
    (re.compile(r"\b1[6-9]\d{11}\b"), "<ms>"),
    (re.compile(r"(?<=<ms>@)(.*@)\d+ *$", re.MULTILINE), r"\1<offset>"),
    (re.compile(r"(CommitLog Offset: {4})\d+"), r"\1<offset>"),
    (re.compile(r"(commitLogOffset=|physicOffset=|MasterCommitLogMaxOffset\t)\d+"), r"\1<offset>"),
    (re.compile(r"127\.0\.0\.1:\d{5}( *)"), "<client> "),
    (re.compile(r"(Consume TPS: )[0-9.]+"), r"\1<rate>"),
    (re.compile(r"\b(rt=|spentTimeMills=)\d+"), r"\1<millis>"),
    (re.compile(r"(/0x[0-9a-f]+)?@[0-9a-f]{6,8}$", re.MULTILINE), "@<hash>"),
    (re.compile(r"(?<![\d.])20\d{12,15}(?![\d.])"), "<stamp>"),
]

_JAVA_MAP = re.compile(r"\{([^{}\n=]+=[^{}\n]*)\}")
_JAVA_SET = re.compile(r"\[([A-Z_]+(?:, [A-Z_]+)+)\]")


def _masked(text: str) -> str:
    for mask, placeholder in _MASKS:
        text = mask.sub(placeholder, text)
    return text


def _sorted_map(match: re.Match[str]) -> str:
    return "{" + ", ".join(sorted(match[1].split(", "))) + "}"


def _sorted_set(match: re.Match[str]) -> str:
    return "[" + ", ".join(sorted(match[1].split(", "))) + "]"


def _same(text: str) -> str:
    return text


# --- tables and listings in the order of a hash map ----------------------------------------------------------------

_HEADING = re.compile(r" *[#=]")


def _rows(text: str) -> str:
    """The rows of each table sorted; a table ends with an empty line."""
    done: list[str] = []
    for paragraph in re.split(r"(?<=\n)(?=\n)", text):
        lines = paragraph.splitlines(keepends=True)
        start = max((index + 1 for index, line in enumerate(lines) if _HEADING.match(line)), default=0)
        done += [*lines[:start], *sorted(lines[start:])]
    return "".join(done)


def _blocks(text: str) -> str:
    """Parts that end with a rule of dashes, sorted."""
    return "".join(sorted(re.split(r"(?<=-\n)", text)))


def _json(text: str) -> str:
    return _dumped(json.loads(text)) if text.strip() else text


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


# --- figures -------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d+(\.\d+)?")


def _cluster_list(text: str) -> str:
    """Load, progress and ratio columns; their padding depends on them."""
    text = re.sub(
        r"^(DefaultCluster +broker-a +0 +<broker> +V\w+ +)(.*)$",
        lambda match: match[1] + " ".join(_NUMBER.sub("N", match[2]).split()),
        text,
        flags=re.MULTILINE,
    )
    return re.sub(r"^(DefaultCluster +broker-a) +\d+ +\d+ +\d+ +\d+$", r"\1 <totals>", text, flags=re.MULTILINE)


_VARYING_STATUS = re.compile(
    r"^((?:<broker> +)?(?:boot|commitLog|consumeQueue|earliest|getF|getM|getT|msgGet|msgPut|put|runtime|remainHow|"
    r"startAccept|timerRead|timerOffset|dispatch|pageCache|\w+HeadWait)[^:]*): .*$",
    re.MULTILINE,
)


def _broker_status(text: str) -> str:
    return _VARYING_STATUS.sub(r"\1: <value>", re.sub(r"(commitLogDiskRatio_).*?(?= *: )", r"\1<path>", text))


def _stats(text: str) -> str:
    """Rates, and the messages of a day as far as they have been sampled."""
    text = re.sub(r" +\d+\.\d\d +\d+\.\d\d +\d+ +\d+$", " <rates>", text, flags=re.MULTILINE)
    return _rows(re.sub(r" +\d+\.\d\d +\d+ +(?=NO_CONSUMER$)", " <rates> ", text, flags=re.MULTILINE))


def _response_times(text: str) -> str:
    """The last column, and the average."""
    text = re.sub(r"^(broker-a +\d +true +)\d+$", r"\1<millis>", text, flags=re.MULTILINE)
    return re.sub(r"^(Avg RT: )[0-9.]+$", r"\1<millis>", text, flags=re.MULTILINE)


def _traces(text: str) -> str:
    """The time that the sending took."""
    return re.sub(r"\b\d+ms +", "<millis> ", text)


def _cluster_response_times(text: str) -> str:
    return re.sub(r"((?:^DefaultCluster +|\|)broker-a(?: +|\|))[0-9.]+ *", r"\1<millis> ", text, flags=re.MULTILINE)


def _consumer_status(text: str) -> str:
    """Rates and response times of the topics."""
    return _rows(re.sub(r"^(\S+) +(?:\d+\.\d\d +){5}", r"\1 <rates> ", text, flags=re.MULTILINE))


_VARYING_SETTINGS = (
    "(?:listenPort|haListenPort|(?:send|pull|litePull|processReply|query)MessageThreadPoolNums|"
    "putMessageFutureThreadPoolNums|heartbeatThreadPoolNums|endTransactionThreadPoolNums|clientCallbackExecutorThreads)"
)


def _settings(text: str) -> str:
    """Ports, and what Apache's broker computes from the number of processors."""
    return _rows(re.sub(rf"^({_VARYING_SETTINGS} += +)\d+$", r"\1<value>", text, flags=re.MULTILINE))


def _document(text: str) -> str:
    """An exported JSON file; fastjson leaves numbers that are keys without quotes."""
    if not text:
        return text
    text = _dumped(json.loads(re.sub(r"([{,]\s*)(\d+):", r'\1"\2":', text)))
    varying = r'("(?:\w+DiskRatio|\w+Tps|\w+OneDay(?:In|Out)Num|cpuNum|messageAverageSize|counter)": )"?[\d.E-]+"?'
    return re.sub(varying, r"\1<value>", _masked(text))


_BY_COMMAND: Mapping[str, Callable[[str], str]] = {
    "allocatemq": _json,
    "brokerstatus": _broker_status,
    "checkmsgsendrt": _response_times,
    "clusterlist": _cluster_list,
    "clusterrt": _cluster_response_times,
    "consumerstatus": _consumer_status,
    "getbrokerconfig": _settings,
    "getnamesrvconfig": _settings,
    "printmsg": _blocks,
    "querymsgtracebyid": _traces,
    "statsall": _stats,
} | dict.fromkeys(
    (
        "topiclist",
        "producer",
        "consumerprogress",
        "consumerconnection",
        "brokerconsumestats",
        "resetoffsetbytime",
        "skipaccumulatedmessage",
        "listuser",
        "listacl",
        "getacl",
    ),
    _rows,
)
