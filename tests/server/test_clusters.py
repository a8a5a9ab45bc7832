"""Clusters from the samples: which there are, what is put over the samples, and one that runs."""

from pathlib import Path

import pytest

from rmq.server.clusters import Cluster, ClusterInUseError, UnknownModeError, modes, overlay
from rmq.settings.errors import SettingError
from rmq.settings.load import load_broker, load_namesrv, parse_properties
from rmq.wire.bodies.route import ClusterInfo
from rmq.wire.declare import decode_body
from tests.kit.frames import GET_BROKER_CLUSTER_INFO, ask

ROOT = Path(__file__).parents[2]


def entries(file: Path) -> dict[str, str]:
    return {entry.key: entry.text for entry in parse_properties(file.read_text())}


def test_the_modes_are_the_directories_of_samples_and_a_single_one() -> None:
    assert {mode: [file.name for file in files] for mode, files in modes().items()} == {
        "single": ["broker.conf"],
        "2m-2s-async": [
            "broker-a.properties",
            "broker-a-s.properties",
            "broker-b.properties",
            "broker-b-s.properties",
        ],
        "2m-2s-sync": ["broker-a.properties", "broker-a-s.properties", "broker-b.properties", "broker-b-s.properties"],
        "2m-noslave": ["broker-a.properties", "broker-b.properties"],
    }


def test_keys_are_changed_where_they_stand_or_added() -> None:
    text = "# about\nbrokerName=a\n\n#listenPort=1\n listenPort = 2\nbrokerIP1: x\n"
    changes = {"listenPort": 12000, "brokerIP1": "10.0.0.1", "slaveReadEnable": True, "storePathRootDir": "a\\b"}
    changed = overlay(text, changes)
    assert changed == (
        "# about\nbrokerName=a\n\n#listenPort=1\nlistenPort=12000\nbrokerIP1=10.0.0.1\n"
        "\nslaveReadEnable=true\nstorePathRootDir=a\\\\b\n"
    )
    loaded = load_broker(changed)
    assert (loaded.settings.store.store_path_root_dir, loaded.warnings) == ("a\\b", ())


def test_members_are_the_samples_with_what_depends_on_this_machine(tmp_path: Path) -> None:
    cluster = Cluster(
        "2m-2s-sync",
        tmp_path,
        told="10.0.0.1",
        name_servers=2,
        settings={"inSyncReplicas": 1, "defaultTopicQueueNums": 3},
    )
    assert list(cluster.members) == ["namesrv-1", "namesrv-2", "broker-a", "broker-a-s", "broker-b", "broker-b-s"]
    ports = {name: int(member.address.removeprefix("10.0.0.1:")) for name, member in cluster.members.items()}
    assert cluster.namesrv_addr == f"10.0.0.1:{ports['namesrv-1']};10.0.0.1:{ports['namesrv-2']}"
    brokers = [ports[name] for name in ports if name.startswith("broker")]
    assert len({brokers[index] + near for index in range(4) for near in (-2, -1, 0, 1)} | set(ports.values())) == 18
    slave = cluster.members["broker-a-s"]
    assert slave.directory == tmp_path / "broker-a-s"
    sample = entries(ROOT / "conf" / "2m-2s-sync" / "broker-a-s.properties")
    assert entries(slave.file) == sample | {
        "inSyncReplicas": "1",
        "defaultTopicQueueNums": "3",
        "listenPort": str(ports["broker-a-s"]),
        "bindAddress": "127.0.0.1",
        "brokerIP1": "10.0.0.1",
        "brokerIP2": "10.0.0.1",
        "namesrvAddr": cluster.namesrv_addr,
        "storePathRootDir": str(slave.store_dir),
    }
    assert load_broker(slave.file.read_text()).warnings == ()
    name_server = load_namesrv(cluster.members["namesrv-2"].file.read_text())
    assert name_server.warnings == ()
    assert name_server.settings.server.listen_port == ports["namesrv-2"]
    assert name_server.settings.namesrv.kv_config_path == str(tmp_path / "namesrv-2" / "kvConfig.json")
    cluster.stop()


def test_name_servers_have_the_ports_that_were_asked_for(tmp_path: Path) -> None:
    cluster = Cluster("single", tmp_path, name_servers=3, namesrv_port=9876)
    assert cluster.namesrv_addr == "127.0.0.1:9876;127.0.0.1:9877;127.0.0.1:9878"
    cluster.stop()


def test_what_is_wrong_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UnknownModeError) as unknown:
        Cluster("2m", tmp_path)
    assert str(unknown.value) == (
        "there is no cluster mode '2m'; the modes are single, 2m-2s-async, 2m-2s-sync, 2m-noslave"
    )
    with pytest.raises(SettingError, match="slaveTimeout=soon is not allowed"):
        Cluster("single", tmp_path / "x", settings={"slaveTimeout": "soon"})
    first = Cluster("single", tmp_path / "x")
    with pytest.raises(ClusterInUseError) as in_use:
        Cluster("2m-noslave", tmp_path / "x")
    assert str(in_use.value) == (
        f"{tmp_path}/x is in use, another cluster runs there; choose another directory or stop it"
    )
    assert not (tmp_path / "x" / "broker-a").exists()
    first.stop()
    Cluster("2m-noslave", tmp_path / "x").stop()


def test_masters_and_slaves_run_know_each_other_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cluster = Cluster("2m-2s-sync", tmp_path / "x", name_servers=2)
    try:
        cluster.start()
        cluster.wait_in_step()
        for address in cluster.namesrv_addr.split(";"):
            body = decode_body(ClusterInfo, ask(address, GET_BROKER_CLUSTER_INFO)[1])
            assert {name: data.broker_addrs for name, data in body.broker_addr_table.items()} == {
                name: {0: cluster.members[name].address, 1: cluster.members[f"{name}-s"].address}
                for name in ("broker-a", "broker-b")
            }
    finally:
        cluster.stop()
    assert [member.exit_code for member in cluster.members.values()] == [0] * 6
