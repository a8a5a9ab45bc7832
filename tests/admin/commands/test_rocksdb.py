"""Tables in RocksDB: what Apache's broker kept, as Apache's tool prints it; and brokers asked to convert them."""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.rocksdb import RocksDBError, read_table
from rmq.client.admin.errors import UnknownClusterError
from rmq.client.admin.importing import read_metadata
from rmq.wire import fastjson
from rmq.wire.bodies.route import BrokerData, ClusterInfo
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.errors import NotSupportedError
from rmq.wire.requests.broker import ExportRocksdbConfigToJson
from rmq.wire.requests.route import GetBrokerClusterInfo
from tests.golden.record_rocksdb import PRINTED, RECORDING, TABLES
from tests.kit.adminfake import CLUSTER, MASTER_A, MASTER_B, FakeServers, report, text


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded directory."""
    directory = tmp_path_factory.mktemp("config")
    with tarfile.open(RECORDING) as archive:
        archive.extractall(directory, filter="data")
    return directory


def parsed(printed: str) -> tuple[str, Any]:
    """What is printed before an object, and the object."""
    head, brace, rest = printed.partition("{")
    return head, fastjson.loads(brace + rest)


@pytest.mark.parametrize("name", [name for name in PRINTED if name.endswith(".json")])
def test_objects_are_apaches(config: Path, name: str) -> None:
    command, *words = PRINTED[name]
    printed = text(FakeServers(), command, "-p", str(config), *words)
    assert parsed(printed) == parsed((config / "printed" / name).read_text())


@pytest.mark.parametrize("name", [name for name in PRINTED if not name.endswith(".json")])
def test_rows_are_apaches(config: Path, name: str) -> None:
    command, *words = PRINTED[name]
    assert text(FakeServers(), command, "-p", str(config), *words) == (config / "printed" / name).read_text()


def test_json_members(config: Path) -> None:
    made = report(FakeServers(), "rocksDBConfigToJson", "-p", str(config), "-t", "consumerOffsets")
    assert json.loads(made.render("json")) == {"tables": {"offsetTable": {"T_one@G_one": {"0": 7, "1": 70000}}}}
    made = report(FakeServers(), "exportMetadataInRocksDB", "-p", f"{config}/", "-t", "topics")
    assert made.members["table"]["T_fifo"]["attributes"] == {"message.type": "FIFO"}


def test_reading_leaves_the_directory_alone(config: Path) -> None:
    before = {table: sorted(path.name for path in (config / table).iterdir()) for table in TABLES}
    for table in TABLES:
        read_table(str(config / table))
    assert {table: sorted(path.name for path in (config / table).iterdir()) for table in TABLES} == before


def test_a_file_is_written_and_the_old_one_kept(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    line = ("rocksDBConfigToJson", "-p", str(config), "-t", "topics", "-e", str(path))
    assert text(FakeServers(), *line) == "Use [local mode] load rocksdb to print or export file \n"
    assert fastjson.loads(path.read_text()) == parsed((config / "printed" / "topics.json").read_text())[1]
    path.write_text("old")
    assert report(FakeServers(), *line).members["path"] == str(path)
    assert Path(f"{path}.bak").read_text() == "old"
    topics = read_metadata([fastjson.loads(path.read_text())]).topics
    assert topics["T_one"] == TopicConfig("T_one", 3, 5, 4)


LOCAL = "Use [local mode] load rocksdb to print or export file \n"


def test_there_must_be_a_directory(config: Path, tmp_path: Path) -> None:
    made = report(FakeServers(), "rocksDBConfigToJson", "-p", str(tmp_path / "no"), "-t", "topics")
    assert made.render("text") == LOCAL + "Rocksdb path is invalid.\n"
    assert [failure.remark for failure in made.failures] == [f"{tmp_path}/no does not exist"]
    made = report(FakeServers(), "rocksDBConfigToJson", "-p", str(tmp_path), "-t", "topics")
    assert made.render("text") == LOCAL + "Failed to initialize ConfigRocksDBStorage.\n"
    assert [failure.remark for failure in made.failures] == [f"{tmp_path}/topics is no RocksDB directory"]
    made = report(FakeServers(), "exportMetadataInRocksDB", "-p", str(tmp_path / "no"), "-t", "topics")
    assert made.render("text") == "RocksDB path is invalid.\n"
    assert made.failures
    made = report(FakeServers(), "exportMetadataInRocksDB", "-p", str(tmp_path), "-t", "nope")
    assert made.render("text") == f"RocksDB load error, path={tmp_path}/nope\n"
    assert made.failures


def test_a_damaged_directory(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("MANIFEST-000001\n")
    with pytest.raises(RocksDBError, match=f"{tmp_path} cannot be read: "):
        read_table(str(tmp_path))


def test_the_package_may_be_missing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    with pytest.raises(RocksDBError, match=r"needs the package rocksdict: pip install 'rmq\[rocksdb\]'"):
        read_table(str(config / "topics"))


@pytest.mark.parametrize(
    ("words", "printed", "refusal"),
    [
        (["-p", "/x"], LOCAL + "local mode Invalid args, please input configType\n", "-t is missing"),
        (["-p", "/x", "-t", "topics;consumerOffsets"], LOCAL, "-t: one kind of table is expected with -p"),
        (
            ["-n", "x:1"],
            "Use [rpc mode] call all brokers in cluster to export to json file \n"
            "rpc mode Invalid args, please input cluster\n",
            "-c is missing",
        ),
        (
            ["-b", "x:1", "-t", "nope"],
            "Invalid configType: nope please input topics/subscriptionGroups/consumerOffsets \n",
            "-t nope: topics, subscriptionGroups, consumerOffsets are expected",
        ),
    ],
)
def test_incomplete_lines(words: list[str], printed: str, refusal: str) -> None:
    made = report(FakeServers(), "rocksDBConfigToJson", *words)
    assert (made.render("text"), made.refusal) == (printed, refusal)


def test_no_mode() -> None:
    made = report(FakeServers(), "rocksDBConfigToJson")
    assert made.render("text").startswith("Convert RocksDB kv config (topics/subscriptionGroups/consumerOffsets) to ")
    assert made.refusal == "-c, -b or -p is missing"


# --- on brokers ----------------------------------------------------------------------------------------------------

CLUSTER_LINE = "Use [rpc mode] call all brokers in cluster to export to json file \n"


def asked(servers: FakeServers) -> list[tuple[str, str]]:
    return [(address, header.config_type) for address, header in servers.sent(ExportRocksdbConfigToJson)]


def test_one_broker() -> None:
    servers = FakeServers()
    made = report(servers, "rocksDBConfigToJson", "-b", MASTER_A)
    assert made.render("text") == "Use [rpc mode] call broker to export to json file \nbroker export done."
    assert made.members == {"brokers": [MASTER_A]}
    assert asked(servers) == [(MASTER_A, "topics;subscriptionGroups;consumerOffsets;")]


def test_a_clusters_masters_and_no_others() -> None:
    groups = {**CLUSTER.broker_addr_table, "c": BrokerData("c", "C2", {0: "10.0.0.7:1"})}
    servers = FakeServers({GetBrokerClusterInfo: ClusterInfo(groups, {**CLUSTER.cluster_addr_table, "C2": ["c"]})})
    printed = text(servers, "rocksDBConfigToJson", "-c", "C1", "-t", " TOPICS ;consumeroffsets;")
    assert printed == CLUSTER_LINE + "broker export done."
    assert asked(servers) == [(MASTER_A, "topics;consumerOffsets;"), (MASTER_B, "topics;consumerOffsets;")]


def test_failures() -> None:
    servers = FakeServers()
    made = report(servers, "rocksDBConfigToJson", "-c", "nope")
    assert made.render("text") == CLUSTER_LINE + "clusterAddrTable is empty"
    assert [type(failure) for failure in made.failures] == [UnknownClusterError]
    servers.answers[ExportRocksdbConfigToJson] = lambda address, _: (
        NotSupportedError("not supported") if address == MASTER_A else b""
    )
    made = report(servers, "rocksDBConfigToJson", "-c", "C1")
    assert made.render("text") == CLUSTER_LINE + f"{MASTER_A} export error\n"
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert made.members["brokers"] == [MASTER_B]
