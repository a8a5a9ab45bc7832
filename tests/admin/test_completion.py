"""What may stand next: the engine exactly, the scripts in the shells that are installed."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rmq.admin.cli import main
from rmq.admin.completion import SHELLS, ClusterNames, candidates, split_line
from rmq.admin.declare import names
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.topic import TopicList
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, SLAVE_A, FakeServers
from tests.kit.ports import free_port
from tests.kit.tiny import answering_always, server


async def asked(kind: str, words: Sequence[str]) -> list[str]:
    return [f"{kind}-1", f"{kind}-2", "Other"] if kind else []


def complete(line: str) -> list[str]:
    words, partial = split_line(line)
    return [candidate.text for candidate in asyncio.run(candidates(words, partial, asked))]


def test_commands() -> None:
    assert complete("topicC") == ["topicClusterList"]
    assert complete("TOPICSTA") == ["topicStatus"]
    assert complete("s") == [*(name for name in names() if name.startswith("s")), "shell"]
    assert set(complete("")) == {*names(), "help", "shell", "completion"}
    assert complete("help topicL") == ["topicList"]
    assert complete("help topicList ") == []
    assert complete("completion ") == ["bash", "zsh", "fish"]
    assert complete("completion z") == ["zsh"]
    assert complete("nosuch -") == []


def test_summaries_stand_beside_commands() -> None:
    (found,) = asyncio.run(candidates([], "topicRoute", asked))
    assert found.help == "Show which brokers hold a topic's queues."


def test_options() -> None:
    assert complete("topicRoute --") == [
        *("--topic", "--help", "--namesrvAddr", "--list"),
        *("--format", "--watch", "--timeout", "--debug"),
    ]
    assert complete("topicRoute -")[:2] == ["-t", "--topic"]
    assert complete("topicRoute ") == complete("topicRoute -")
    assert complete("topicRoute --wa") == ["--watch"]
    assert complete("deleteTopic --dr") == ["--dry-run"]


def test_options_that_are_given_are_left_out_and_those_they_exclude() -> None:
    assert "--topic" not in complete("topicRoute --topic=T --")
    assert "--topic" not in complete("topicRoute -t T --")
    left = complete("updateTopic -b x:1 --")
    assert "--clusterName" not in left
    assert "--brokerAddr" not in left
    assert "--topic" in left


def test_an_option_of_the_command_hides_ours_of_the_same_letter() -> None:
    assert [word for word in complete("queryMsgById -") if word in {"-f", "--format"}] == ["-f", "--format"]
    assert complete("queryMsgById --format ") == ["text", "json", "csv"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("topicRoute -t ", ["topic-1", "topic-2", "Other"]),
        ("topicRoute -t topic", ["topic-1", "topic-2"]),
        ("topicRoute --topic topic-2", ["topic-2"]),
        ("topicRoute --topic=topic", ["--topic=topic-1", "--topic=topic-2"]),
        ("topicRoute -t=O", ["-t=Other"]),
        ("topicRoute -t 'topic-", ["topic-1", "topic-2"]),
        ("consumerProgress -g group-", ["group-1", "group-2"]),
        ("brokerStatus -b add", ["address-1", "address-2"]),
        ("brokerStatus -c clu", ["cluster-1", "cluster-2"]),
        ("consumeMessage -t T -b bro", ["broker-1", "broker-2"]),
        ("updateTopic -o ", ["true", "false"]),
        ("topicList -f ", ["text", "json", "csv"]),
        ("topicList -f=j", ["-f=json"]),
        ("updateTopic -r ", []),
        ("exportMetadata -f ", [":files"]),
    ],
)
def test_values(line: str, found: list[str]) -> None:
    assert complete(line) == found


@pytest.mark.parametrize(
    ("line", "words", "partial"),
    [
        ("", [], ""),
        ("a", [], "a"),
        ("a ", ["a"], ""),
        ("a 'b c", ["a"], "b c"),
        ('a "b" "c', ["a", "b"], "c"),
        ("a b\\ c ", ["a", "b c"], ""),
        ("a \\", ["a"], ""),
    ],
)
def test_lines(line: str, words: list[str], partial: str) -> None:
    assert split_line(line) == (words, partial)


# --- names of the cluster --------------------------------------------------------------------------------------------


def known(servers: FakeServers, kind: str, *words: str) -> list[str]:
    return asyncio.run(ClusterNames(servers, NAMESRV)(kind, words))


def test_names_of_the_cluster() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["B", "%RETRY%G", "A", "%DLQ%G"])})
    assert known(servers, "topic") == ["A", "B"]
    assert known(servers, "group") == ["G"]
    assert known(servers, "cluster") == ["C1"]
    assert known(servers, "broker") == ["broker-a", "broker-b"]
    assert known(servers, "address") == [MASTER_A, SLAVE_A, MASTER_B]
    assert {address for address, _, _ in servers.calls} == {NAMESRV}


@pytest.mark.parametrize("words", [("-n", "other:1"), ("-n=other:1",), ("--namesrvAddr=other:1",)])
def test_the_name_servers_of_the_line_are_asked(words: tuple[str, ...]) -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["A"])})
    assert known(servers, "topic", "topicRoute", *words) == ["A"]
    assert servers.calls[0][0] == "other:1"


def test_no_names_without_an_answer() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: ConnectFailedError("x", "refused")})
    assert known(servers, "topic") == []
    assert known(servers, "topic", "-n", "nonsense") == []


# --- in a shell ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A name server that knows two topics, a group and a broker."""
    topics = {"topicList": ["orders", "orders_old", "%RETRY%GID_a", "payments"]}
    info = {
        "brokerAddrTable": {"broker-a": {"brokerAddrs": {"0": "10.0.0.1:10911"}, "brokerName": "broker-a"}},
        "clusterAddrTable": {"C1": ["broker-a"]},
    }
    bodies = {206: json.dumps(topics).encode(), 106: json.dumps(info).encode()}
    with server(answering_always(lambda code: (0, None, bodies[code]))) as address:
        yield address


@pytest.fixture(scope="module")
def environment(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `mqadmin` is ours and knows the name server."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "mqadmin"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rmq.admin.cli "$@"\n')
    program.chmod(0o755)
    root = Path(__file__).parents[2]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(root), "NAMESRV_ADDR": cluster, "TERM": "dumb"}


_BASH = """
source <(mqadmin completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
# Readline's own words: it splits at colons and equals signs too.
read -ra COMP_WORDS <<< "$1"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { echo "compopt $*"; }
_mqadmin
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mqadmin topicC", ["topicClusterList"]),
        ("mqadmin topicRoute --to", ["--topic"]),
        ("mqadmin topicRoute -t ord", ["orders", "orders_old"]),
        ("mqadmin topicRoute --topic=ord", ["orders", "orders_old"]),
        ("mqadmin consumerProgress -g ", ["GID_a"]),
        ("mqadmin brokerStatus -b 10.0.0.1:1", ["10911"]),
        ("mqadmin brokerStatus -b 10", ["10.0.0.1:10911"]),
        ("mqadmin brokerStatus -c ", ["C1"]),
        ("mqadmin topicRoute -n 127.0.0.1:1 -t ", [""]),
    ],
)
def test_bash(environment: dict[str, str], line: str, found: list[str]) -> None:
    done = subprocess.run(
        ["bash", "-c", _BASH, "bash", line], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (found, "")


def test_bash_completes_files(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "groups.json").write_text("[]")
    line = "mqadmin exportMetadata -f gro"
    done = subprocess.run(
        ["bash", "-c", _BASH, "bash", line],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == ["compopt -o filenames", "groups.json"]


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shutil.which(shell)])
def test_a_shell_can_read_its_script(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        ("bash", ["10.0.0.1:10911"]),
        ("fish", ["10.0.0.1:10911\t"]),
        ("zsh", ["10.0.0.1\\:10911"]),
    ],
)
def test_each_shell_gets_its_form(
    capsys: pytest.CaptureFixture[str], cluster: str, shell: str, lines: list[str]
) -> None:
    assert main(["__complete", shell, f"mqadmin brokerStatus -n {cluster} -b 1"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    main(["__complete", "fish", "mqadmin topicRou"])
    main(["__complete", "zsh", "mqadmin topicRou"])
    main(["__complete", "bash", "mqadmin topicRou"])
    summary = "Show which brokers hold a topic's queues."
    assert capsys.readouterr().out.splitlines() == [f"topicRoute\t{summary}", f"topicRoute:{summary}", "topicRoute"]


def test_an_unreachable_cluster_completes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["__complete", "bash", f"mqadmin topicRoute -n 127.0.0.1:{free_port()} -t "]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("words", [("completion",), ("completion", "tcsh"), ("completion", "bash", "x")])
def test_an_unknown_shell(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(words) == 2
    assert capsys.readouterr() == ("", "mqadmin completion: one of bash, zsh, fish is expected\n")
    assert main(["__complete", "tcsh", ""]) == 2
