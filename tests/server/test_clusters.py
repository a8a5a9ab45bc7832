"""Clusters from the samples: which there are, what is put over the samples, and one that runs."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from rmq.remoting.ports import reserve
from rmq.server.clusters import Cluster, ClusterInUseError, UnknownModeError, modes, overlay
from rmq.server.members import Member, MemberError, PortTakenError
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


def ports_of(cluster: Cluster) -> set[int]:
    """Those of name servers, and a broker's four."""
    firsts = {name: int(member.address.rpartition(":")[2]) for name, member in cluster.members.items()}
    return {
        port + near
        for name, port in firsts.items()
        for near in ((0,) if name.startswith("namesrv") else (-2, -1, 0, 1))
    }


def test_ports_are_kept_from_others_as_long_as_the_cluster_is_there(tmp_path: Path) -> None:
    cluster = Cluster("2m-noslave", tmp_path / "x")
    ports = ports_of(cluster)
    assert len(ports) == 9
    for port in ports:
        with pytest.raises(OSError, match="Address already in use"):
            reserve("127.0.0.1", port)
    cluster.stop()
    for port in ports:
        reserve("127.0.0.1", port).close()
    with pytest.raises(SettingError):
        Cluster("2m-noslave", tmp_path / "x", settings={"slaveTimeout": "soon"})
    for port in ports:
        reserve("127.0.0.1", port).close()


def test_all_members_start_before_any_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(Member, "spawn", lambda member: steps.append(f"spawn {member.name}"))
    monkeypatch.setattr(Member, "wait_until_up", lambda member: steps.append(f"wait {member.name}"))
    monkeypatch.setattr("rmq.server.instep.wait_known", lambda *_: {})
    cluster = Cluster("2m-2s-async", tmp_path)
    cluster.start()
    cluster.stop()
    assert steps == [f"{step} {name}" for step in ("spawn", "wait") for name in cluster.members]


def test_a_broker_that_stays_unknown_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Member, "spawn", lambda member: None)
    monkeypatch.setattr(Member, "wait_until_up", lambda member: None)
    cluster = Cluster("2m-noslave", tmp_path)
    late = cluster.members["broker-b"].address
    monkeypatch.setattr("rmq.server.instep.wait_known", lambda *_: {cluster.namesrv_addr: {late}})
    with pytest.raises(MemberError, match=r"^broker-b is not known to all name servers after 30 seconds$"):
        cluster.start()
    cluster.stop()


def test_members_whose_ports_were_taken_meanwhile_get_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ROOT.as_posix())
    cluster = Cluster("2m-noslave", tmp_path / "x", name_servers=2)
    ended: list[str] = []
    for member in cluster.members.values():
        member.on_end = lambda one: ended.append(one.name)
    chosen = {name: member.address for name, member in cluster.members.items()}
    with ExitStack() as strangers:
        # A name server's port, the one for the slaves of one broker, and the one two below of the other.
        for name, near in (("namesrv-1", 0), ("broker-a", 1), ("broker-b", -2)):
            address = ("127.0.0.1", int(chosen[name].rpartition(":")[2]) + near)
            strangers.enter_context(socket.create_server(address))
        try:
            cluster.start()
            assert ended == []
            moved = {name for name, member in cluster.members.items() if member.address != chosen[name]}
            assert moved == {"namesrv-1", "broker-a", "broker-b"}
            brokers = {cluster.members[name].address for name in ("broker-a", "broker-b")}
            assert cluster.namesrv_addr.split(";") == [cluster.members[f"namesrv-{n}"].address for n in (1, 2)]
            for address in cluster.namesrv_addr.split(";"):
                body = decode_body(ClusterInfo, ask(address, GET_BROKER_CLUSTER_INFO)[1])
                assert {data.broker_addrs[0] for data in body.broker_addr_table.values()} == brokers
        finally:
            cluster.stop()
    assert sorted(ended) == ["broker-a", "broker-b", "namesrv-1", "namesrv-2"]


def test_a_port_that_stays_taken_is_an_error_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[str] = []

    def refuse(member: Member) -> None:
        starts.append(member.address)
        raise PortTakenError(member.name, "cannot start")

    monkeypatch.setattr(Member, "spawn", lambda member: None)
    monkeypatch.setattr(Member, "wait_until_up", refuse)
    cluster = Cluster("single", tmp_path / "x")
    with pytest.raises(PortTakenError, match=r"^namesrv-1 cannot start$"):
        cluster.start()
    assert len(set(starts)) == len(starts) == 10
    cluster.stop()
    asked_for = Cluster("single", tmp_path / "x", namesrv_port=9876)
    starts.clear()
    with pytest.raises(PortTakenError):
        asked_for.start()
    assert starts == ["127.0.0.1:9876"]
    asked_for.stop()


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
