"""Java's mqadmin and ours export the same, static topics obey both, and what one server holds is imported into another.

The last test starts both kinds of server: what Apache's tool and ours export from either is imported into the other,
and then both hold the same.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.cli import main
from rmq.wire import fastjson
from tests.kit import toolchains
from tests.kit.apache import ApacheCluster, MqAdmin
from tests.kit.server import RunningServer, chosen_kind, maker, rmq_server

pytestmark = pytest.mark.interop

CLUSTER = "DefaultCluster"
POLICY = '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":10000,"multiplier":2}}'
FORMS = {
    "cluster": (["-c", CLUSTER], "metadata.json"),
    "topics": (["-c", CLUSTER, "-t"], "topic.json"),
    "special": (["-c", CLUSTER, "-t", "-s"], "topic.json"),
    "groups": (["-c", CLUSTER, "-g"], "subscriptionGroup.json"),
    "broker-topics": (["-b", "{broker}", "-t"], "topic.json"),
    "broker-groups": (["-b", "{broker}", "-g"], "subscriptionGroup.json"),
}
EPOCH = re.compile(r"\d{13}")


class Tools:
    """Both tools at one server."""

    def __init__(self, server: RunningServer, home: Path) -> None:
        self.server = server
        self.home = home
        self._java = MqAdmin(server.namesrv_addr, home)

    def java(self, *words: str) -> str:
        return self._java.out(*words)

    def java_fails(self, *words: str) -> tuple[str, str]:
        """Standard output, and the reason on the other stream."""
        printed = self._java.run(*words)
        (reason,) = re.findall(r"^Caused by: java\.lang\.RuntimeException: (.*)$", printed.err, re.MULTILINE)
        return printed.out, reason

    def exported(self, tool: str, form: str) -> dict[str, Any]:
        """What a tool exports in one of the forms."""
        words, name = FORMS[form]
        directory = self.home / f"{tool}-{form}"
        target = [word.format(broker=self.server.broker_addr) for word in words]
        line = ["exportMetadata", *target, "-f", str(directory)]
        if tool == "java":
            self.java(*line)
        else:
            assert main([*line, "-n", self.server.namesrv_addr]) == 0
        return read(directory / name)

    def close(self) -> None:
        self._java.close()


def read(path: Path) -> dict[str, Any]:
    found = fastjson.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """Both tools at a fresh server of the chosen kind, with topics and groups of every kind."""
    toolchains.require("java")
    home = tmp_path_factory.mktemp("export")
    server = maker(chosen_kind())(home)
    made = None
    try:
        made = Tools(server, home)
        broker = ("-b", server.broker_addr)
        made.java("updateTopic", *broker, "-t", "T_plain", "-r", "3", "-w", "5", "-p", "4")
        made.java("updateTopic", *broker, "-t", "T_fifo", "-a", "+message.type=FIFO", "-u", "true", "-s", "true")
        made.java("updateTopic", "-c", CLUSTER, "-t", "T_order", "-o", "true", "-r", "2", "-w", "2")
        made.java("updateTopic", *broker, "-t", "%RETRY%G_plain", "-r", "1", "-w", "1")
        made.java("updateSubGroup", *broker, "-g", "G_plain", "-r", "3", "-q", "2", "-o", "true")
        made.java("updateSubGroup", *broker, "-g", "G_policy", "-p", POLICY, "--attributes", "+priority.factor=7")
        yield made
    finally:
        if made is not None:
            made.close()
        server.kill()


@pytest.fixture
def ours(tools: Tools, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs our tool at the server; exit code and both streams."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*words, "-n", tools.server.namesrv_addr])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("form", FORMS)
def test_metadata(tools: Tools, form: str) -> None:
    java, own = tools.exported("java", form), tools.exported("ours", form)
    for export in (java, own):
        assert ("exportTime" in export) is (not form.startswith("broker"))
        export.pop("exportTime", None)
    assert own == java
    topics, groups = java.get("topicConfigTable", {}), java.get("subscriptionGroupTable", {})
    if "groups" not in form:
        assert set(topics) == {"T_plain", "T_fifo", "T_order", *(["%RETRY%G_plain"] if form == "special" else [])}
        assert topics["T_fifo"]["attributes"] == {"message.type": "FIFO"}
    if "topics" not in form and form != "special":
        assert set(groups) == {"G_plain", "G_policy"}
        assert groups["G_policy"]["attributes"] == {"priority.factor": "7"}


def test_configs_and_metrics(tools: Tools, ours: Any, tmp_path: Path) -> None:
    for command, name in (("exportConfigs", "configs.json"), ("exportMetrics", "metrics.json")):
        theirs, own = tmp_path / "java" / name, tmp_path / "ours" / name
        assert tools.java(command, "-c", CLUSTER, "-f", str(theirs.parent)) == f"export {theirs} success"
        assert ours(command, "-c", CLUSTER, "-f", str(own.parent)) == (0, f"export {own} success", "")
        assert read(own) == read(theirs)


def masked(text: str, home: Path) -> str:
    """Without epochs and the directory of temporary files."""
    return EPOCH.sub("0", text.replace(f"{home}/", "/tmp/"))


def test_static_topics(tools: Tools, ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tool makes a topic and grows it, the other one goes on; both see the same."""
    monkeypatch.setattr("tempfile.tempdir", str(tools.home))
    line = "The {} mapping data is written to file /tmp/{}-0.{}\n".format

    def java(*words: str) -> str:
        return masked(tools.java(*words), tools.home)

    def own(*words: str) -> str:
        code, out, err = ours(*words)
        assert (code, err) == (0, "")
        return masked(out, tools.home)

    for name, first, second in (("S_java", java, own), ("S_own", own, java)):
        made = line("old", name, "before") + line("new", name, "after")
        assert first("updateStaticTopic", "-b", "broker-a", "-t", name, "-qn", "2") == made
        assert second("updateStaticTopic", "-c", CLUSTER, "-t", name, "-qn", "3") == made
        moved = line("old", name, "before") + line("old", name, "after")
        assert first("remappingStaticTopic", "-b", "broker-a", "-t", name) == moved
        assert second("remappingStaticTopic", "-c", CLUSTER, "-t", name) == moved
        status = java("topicStatus", "-t", name)
        assert [row.split() for row in status.splitlines()[1:7]] == [
            [broker, str(queue), "0", "0"] for broker in ("__syslo__global__", "broker-a") for queue in range(3)
        ]
        assert own("topicStatus", "-t", name) == status
        route = java("topicRoute", "-t", name)
        assert own("topicRoute", "-t", name) == route
        mapping = fastjson.loads(route)["topicQueueMappingByBroker"]["broker-a"]
        assert (mapping["currIdMap"], mapping["totalQueues"]) == ({0: 0, 1: 1, 2: 2}, 3)


def test_static_topics_are_refused(tools: Tools, ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tools.home))
    tools.java("updateStaticTopic", "-b", "broker-a", "-t", "S_few", "-qn", "2")
    for words in (
        ("updateStaticTopic", "-b", "broker-a", "-t", "S_few", "-qn", "1"),
        ("updateStaticTopic", "-b", "broker-a", "-t", "S_few", "-qn", "2"),
        ("updateStaticTopic", "-b", "broker-a", "-t", "T_plain", "-qn", "2"),
        ("remappingStaticTopic", "-b", "broker-a", "-t", "nope"),
    ):
        out, reason = tools.java_fails(*words)
        code, own, error = ours(*words)
        assert (code, masked(own, tools.home)) == (1, masked(out, tools.home))
        assert error == f"mqadmin {words[0]}: {reason}.\n"


def test_the_classic_form(tools: Tools, ours: Any) -> None:
    address = tools.server.broker_addr
    printed = "Use [rpc mode] call all brokers in cluster to export to json file \nbroker export done."
    assert tools.java("rocksDBConfigToJson", "-c", CLUSTER) == printed
    assert ours("rocksDBConfigToJson", "-c", CLUSTER) == (0, printed, "")
    line = f"Export broker records, brokerName=broker-a, brokerAddr={address}, dryRun={{}}\n"
    # Apache's takes the option the other way round.
    assert tools.java("exportPopRecord", "-b", address, "-d", "true") == line.format("false")
    assert ours("exportPopRecord", "-b", address, "-d", "false") == (0, line.format("false"), "")


# --- from one kind of server into the other ------------------------------------------------------------------------


@pytest.mark.long
def test_the_way_back(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    """Apache's topics and groups into ours, ours into Apache's: then all four exports say the same."""
    toolchains.require("java")
    homes = [tmp_path_factory.mktemp(kind) for kind in ("apache", "rmq")]
    apache = ApacheCluster(homes[0])
    rmq = rmq_server(homes[1])
    at = [Tools(apache, homes[0]), Tools(rmq, homes[1])]
    try:
        for letter, tools in zip("ab", at, strict=True):
            broker = ("-b", tools.server.broker_addr)
            tools.java("updateTopic", *broker, "-t", f"T_{letter}", "-r", "3", "-w", "5", "-p", "4", "-s", "true")
            fifo = ("-a", "+message.type=FIFO", "-o", "true")
            tools.java("updateTopic", "-c", CLUSTER, "-t", f"T_{letter}fifo", *fifo)
            simple = ("-a", "+queue.type=SimpleCQ", "-r", "0", "-w", "0")
            tools.java("updateTopic", *broker, "-t", f"T_{letter}cq", *simple)
            tools.java("updateSubGroup", *broker, "-g", f"G_{letter}", "-q", "2", "-s", "false", "-p", POLICY)
            tools.java("updateSubGroup", *broker, "-g", f"G_{letter}attr", "--attributes", "+priority.factor=9")
        before = [tools.exported("java", "cluster") for tools in at]
        # One by a file of Apache's tool and cluster by cluster, the other by files of ours and broker by broker.
        into_rmq = ["-c", CLUSTER, "-f", str(homes[0] / "java-cluster"), "-n", rmq.namesrv_addr]
        assert main(["importMetadata", *into_rmq]) == 0
        for form in ("broker-topics", "broker-groups"):
            at[1].exported("ours", form)
            path = homes[1] / f"ours-{form}" / FORMS[form][1]
            words = ["-b", apache.broker_addr, "-f", str(path), "-n", apache.namesrv_addr]
            assert main(["importMetadata", *words]) == 0
        out, err = capsys.readouterr()
        assert (out.count("failed"), out.count(" 0 failed"), err) == (6, 6, "")
        wanted = {
            table: {**before[0][table], **before[1][table]} for table in ("topicConfigTable", "subscriptionGroupTable")
        }
        for tools in at:
            for tool in ("java", "ours"):
                export = tools.exported(tool, "cluster")
                del export["exportTime"]
                assert export == wanted
        capsys.readouterr()
        assert main(["importMetadata", *into_rmq]) == 0
        assert "topics: 0 created, 0 changed, 6 same, 0 skipped, 0 failed\n" in capsys.readouterr().out
    finally:
        for tools in at:
            tools.close()
        rmq.kill()
        apache.kill()
