"""Text -> settings: what is read, what warns, what stops the start and with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmq.settings.errors import NamesrvSettingError, Place, SettingError, SlaveIdError, SyntaxSettingError
from rmq.settings.load import Entry, load_broker, load_namesrv, parse_properties, read_text
from rmq.settings.store import BrokerRole, FlushDiskType

CONF = Path(__file__).parents[2] / "conf"

BROKER_TEXT = """\
# a comment \\
brokerClusterName = DefaultCluster
brokerName: broker-b
brokerId=3
  deleteWhen=04;16
fileReservedTime=48
brokerRole=SLAVE
flushDiskType=SYNC_FLUSH
namesrvAddr=10.0.0.1:9876;\\
    10.0.0.2:9876
mapedFileSizeCommitLog=1048576
brokerIP1=192.168.0.7
storePathRootDir=/data/store
listenPort=20911
"""


def test_a_usual_file() -> None:
    loaded = load_broker(BROKER_TEXT, file="broker.conf", local_address="10.1.1.1")
    broker, store = loaded.settings.broker, loaded.settings.store
    assert (broker.broker_cluster_name, broker.broker_name, broker.broker_id) == ("DefaultCluster", "broker-b", 3)
    assert (store.delete_when, store.file_reserved_time) == ("04;16", 48)
    assert (store.broker_role, store.flush_disk_type) == (BrokerRole.SLAVE, FlushDiskType.SYNC_FLUSH)
    assert broker.namesrv_addr == "10.0.0.1:9876;10.0.0.2:9876"
    assert store.mapped_file_size_commit_log == 1 << 20
    assert (broker.broker_ip1, broker.broker_ip2) == ("192.168.0.7", "10.1.1.1")
    assert (store.store_path_root_dir, store.commit_log_dir) == ("/data/store", "/data/store/commitlog")
    assert (loaded.settings.server.listen_port, store.ha_listen_port) == (20911, 20912)
    assert loaded.settings.file == "broker.conf"
    assert (loaded.warnings, loaded.notes) == ((), ())


def test_defaults_are_apaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("NAMESRV_ADDR", raising=False)
    settings = load_broker().settings
    assert settings.store.store_path_root_dir == "/home/someone/store"
    assert settings.store.commit_log_dir == "/home/someone/store/commitlog"
    assert settings.file == "/home/someone/store/config/broker.properties"
    assert settings.broker.namesrv_addr is None
    assert (settings.server.bind_address, settings.server.listen_port) == ("0.0.0.0", 10911)
    assert settings.store.ha_listen_port == 10912
    assert settings.broker.broker_ip1 == "127.0.0.1"
    namesrv = load_namesrv().settings
    assert namesrv.server.listen_port == 9876
    assert namesrv.namesrv.kv_config_path == "/home/someone/namesrv/kvConfig.json"
    assert namesrv.file == "/home/someone/namesrv/namesrv.properties"


def test_the_variable_names_the_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMESRV_ADDR", "env:9876")
    assert load_broker().settings.broker.namesrv_addr == "env:9876"
    assert load_broker("namesrvAddr=file:9876").settings.broker.namesrv_addr == "file:9876"


def test_the_command_line_wins_without_a_warning() -> None:
    loaded = load_broker(
        BROKER_TEXT, file="b", overrides={"namesrvAddr": "cli:9876", "listenPort": 0, "brokerRole": "ASYNC_MASTER"}
    )
    assert loaded.settings.broker.namesrv_addr == "cli:9876"
    assert (loaded.settings.server.listen_port, loaded.settings.store.ha_listen_port) == (0, 0)
    assert loaded.settings.broker.broker_id == 0, "a master's id is 0 whatever the file says"
    assert loaded.warnings == ()


def test_name_server_file_is_where_updates_go() -> None:
    settings = load_namesrv("kvConfigPath=/x/kv.json\nlistenPort=1", file="/etc/ns.conf").settings
    assert settings.namesrv.kv_config_path == "/x/kv.json"
    assert settings.server.listen_port == 1
    assert settings.file == settings.namesrv.config_store_path == "/etc/ns.conf"
    assert load_namesrv("configStorePath=/x/ns").settings.file == "/x/ns"


def test_unknown_key_warns_with_the_nearest() -> None:
    loaded = load_broker("\nflushDisktype=SYNC_FLUSH\nmapedFileSizeCommitlog=1\nsomethingElse=1", file="b.conf")
    assert loaded.warnings == (
        "b.conf, line 2: flushDisktype is unknown and has no effect; did you mean flushDiskType?",
        "b.conf, line 3: mapedFileSizeCommitlog is unknown and has no effect; did you mean mappedFileSizeCommitLog?",
        "b.conf, line 4: somethingElse is unknown and has no effect.",
    )
    assert loaded.settings.unknown == {
        "flushDisktype": "SYNC_FLUSH", "mapedFileSizeCommitlog": "1", "somethingElse": "1",
    }  # fmt: skip
    assert loaded.settings.store.flush_disk_type is FlushDiskType.ASYNC_FLUSH


def test_a_key_set_twice_warns_and_the_last_counts() -> None:
    loaded = load_broker("mapedFileSizeCommitLog=2048\nmappedFileSizeCommitLog=4096", file="b.conf")
    assert loaded.settings.store.mapped_file_size_commit_log == 4096
    assert loaded.warnings == (
        "b.conf, line 2: mappedFileSizeCommitLog is set again, after b.conf, line 1; the last one counts.",
    )


def test_ignored_keys_are_noted_only_when_they_differ() -> None:
    loaded = load_broker("popPollingMapSize=100000\nstorePathIndex=/x\nwarmMapedFileEnable=true", file="b.conf")
    assert loaded.warnings == ()
    assert loaded.notes == (
        "b.conf, line 2: storePathIndex is accepted and has no effect: The place follows from storePathRootDir.",
        "b.conf, line 3: warmMapedFileEnable is accepted and has no effect: "
        "Messages are written straight into the mapped file.",
    )
    assert loaded.settings.value("warmMapedFileEnable") is True


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "timerWarmEnable=true",
            "The timer's work is done by one thread, in slices, and tried again until it succeeds.",
        ),
        ("minInSyncReplicas=2", "It counts only with a controller, or where a slave stands in for its master."),
        (
            "popPollingMapSize=1",
            "Waiting pops are kept as long as they wait, however many topics and groups they name.",
        ),
        ("rocketmqHome=/opt", "Nothing is read from an installation of Apache's."),
    ],
)
def test_whoever_configures_what_is_not_there_is_told(line: str, reason: str) -> None:
    assert load_broker(line, file="b.conf").notes == (
        f"b.conf, line 1: {line.partition('=')[0]} is accepted and has no effect: {reason}",
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("flushDiskType=SYNC", "flushDiskType=SYNC is not allowed; flushDiskType must be SYNC_FLUSH or ASYNC_FLUSH."),
        ("listenPort=99999", "listenPort=99999 is not allowed; listenPort must be a whole number from 0 to 65535."),
        ("popPollingMapSize=x", "popPollingMapSize=x is not allowed; "
         "popPollingMapSize must be a whole number from -2147483648 to 2147483647."),
        *((f"{key}=true", f"{key}=true is not allowed; {key} must be false, because access rights are not checked, so "
           "that the broker would run open to everybody; set it to false to accept that.")
          for key in ("aclEnable", "authenticationEnabled", "authorizationEnabled")),
        ("initAuthenticationUser=geheim", "initAuthenticationUser=****** is not allowed; initAuthenticationUser must "
         'be an object such as {"username":"admin","password":"..."}, of 255 and 1024 characters at most.'),
        ('innerClientAuthenticationCredentials={"accessKey":"geheim"}', "innerClientAuthenticationCredentials=****** "
         'is not allowed; innerClientAuthenticationCredentials must be an object such as {"accessKey":"admin",'
         '"secretKey":"..."}, of 255 and 1024 characters at most.'),
        ("enableDLegerCommitLog=true", "enableDLegerCommitLog=true is not allowed; enableDLegerCommitLog must be "
         "false, because there is no DLedger, so that the commit log would not be replicated."),
        ("deleteWhen=25", "deleteWhen=25 is not allowed; deleteWhen must be hours of the day from 00 to 23 joined "
         "by ';', such as 04 or 02;14."),
    ],
)  # fmt: skip
def test_a_bad_value_stops_the_start(line: str, sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_broker(f"# first\nbrokerName=a\n{line}\n", file="conf/broker.conf")
    assert str(caught.value) == f"conf/broker.conf, line 3: {sentence}"
    assert caught.value.place == Place("conf/broker.conf", 3)
    assert caught.value.key == line.partition("=")[0]
    assert caught.value.exit_status == 255


@pytest.mark.parametrize("key", ["aclEnable", "authenticationEnabled", "authorizationEnabled"])
def test_access_control_that_is_off_is_fine(key: str) -> None:
    for load in (load_broker, load_namesrv):
        loaded = load(f"{key}=false")
        assert (loaded.warnings, loaded.notes) == ((), ())


@pytest.mark.parametrize("key", ["aclEnable", "authenticationEnabled", "authorizationEnabled"])
def test_access_control_stops_the_start_of_a_name_server(key: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_namesrv(f"listenPort=1\n{key} = TRUE", file="n.conf")
    assert str(caught.value) == (
        f"n.conf, line 2: {key}=TRUE is not allowed; {key} must be false, because a name server does not check access "
        "rights and runs open to everybody; set it to false to accept that."
    )
    assert caught.value.exit_status == 255


def test_illegal_name_server_is_apaches_sentence() -> None:
    sentence = 'The Name Server Address[nowhere] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"'
    with pytest.raises(NamesrvSettingError) as caught:
        load_broker(overrides={"namesrvAddr": "nowhere"})
    assert (str(caught.value), caught.value.exit_status) == (sentence, 253)
    with pytest.raises(NamesrvSettingError) as caught:
        load_broker("namesrvAddr=nowhere", file="b.conf")
    assert str(caught.value) == f"b.conf, line 1, namesrvAddr: {sentence}"


def test_a_slave_needs_an_id() -> None:
    with pytest.raises(SlaveIdError) as caught:
        load_broker("brokerId=0\nbrokerRole=SLAVE", file="b.conf")
    assert (str(caught.value), caught.value.exit_status) == ("Slave's brokerId must be > 0", 253)
    assert caught.value.place == Place("b.conf", 1)


def test_entries_have_the_line_where_they_start() -> None:
    text = "\r\n! note\r\na=1\\\r\n  2\n\n\tb : x y \n#c=\\\nd\ne=\\u00fc\\\\\ng=\\"
    assert list(parse_properties(text, "f")) == [
        Entry("a", "12", Place("f", 3)),
        Entry("b", "x y ", Place("f", 6)),
        Entry("d", "", Place("f", 8)),
        Entry("e", "ü\\", Place("f", 9)),
        Entry("g", "", Place("f", 10)),
    ]


def test_a_broken_escape_names_its_line() -> None:
    with pytest.raises(SyntaxSettingError) as caught:
        load_broker("a=1\nb=\\u12", file="b.conf")
    assert str(caught.value).startswith("b.conf, line 2: the line is not key=value")
    assert str(caught.value).endswith(": b=\\u12")


def test_text_is_utf8_or_what_java_takes_it_for(tmp_path: Path) -> None:
    file = tmp_path / "b.conf"
    file.write_bytes("metricsLabel=ü".encode())
    assert read_text(str(file)) == "metricsLabel=ü"
    file.write_bytes("metricsLabel=ü".encode("latin-1"))
    assert read_text(str(file)) == "metricsLabel=ü"


SAMPLES = sorted(path for path in CONF.rglob("*") if path.suffix in {".conf", ".properties"})


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(CONF)))
def test_samples_load_without_a_word(path: Path) -> None:
    load = load_namesrv if path.name == "namesrv.conf" else load_broker
    loaded = load(read_text(str(path)), file=str(path))
    assert (loaded.warnings, loaded.notes) == ((), ())


def test_sample_masters_of_the_synchronous_cluster_wait_for_a_slave_and_its_slaves_are_read() -> None:
    loaded = {
        name: load_broker(read_text(str(CONF / "2m-2s-sync" / f"{name}.properties"))).settings
        for name in ("broker-a", "broker-a-s", "broker-b", "broker-b-s")
    }
    assert {name: settings.store.in_sync_replicas for name, settings in loaded.items()} == {
        "broker-a": 2, "broker-a-s": 2, "broker-b": 2, "broker-b-s": 2,
    }  # fmt: skip
    assert all(settings.broker.slave_read_enable for settings in loaded.values())


def test_sample_clusters_have_the_roles_they_are_named_for() -> None:
    roles = {}
    for path in SAMPLES:
        if path.suffix == ".properties":
            settings = load_broker(read_text(str(path)), file=str(path)).settings
            roles[str(path.relative_to(CONF))] = (
                settings.broker.broker_name, settings.broker.broker_id, settings.store.broker_role.name,
            )  # fmt: skip
    assert roles == {
        "2m-2s-async/broker-a-s.properties": ("broker-a", 1, "SLAVE"),
        "2m-2s-async/broker-a.properties": ("broker-a", 0, "ASYNC_MASTER"),
        "2m-2s-async/broker-b-s.properties": ("broker-b", 1, "SLAVE"),
        "2m-2s-async/broker-b.properties": ("broker-b", 0, "ASYNC_MASTER"),
        "2m-2s-sync/broker-a-s.properties": ("broker-a", 1, "SLAVE"),
        "2m-2s-sync/broker-a.properties": ("broker-a", 0, "SYNC_MASTER"),
        "2m-2s-sync/broker-b-s.properties": ("broker-b", 1, "SLAVE"),
        "2m-2s-sync/broker-b.properties": ("broker-b", 0, "SYNC_MASTER"),
        "2m-noslave/broker-a.properties": ("broker-a", 0, "ASYNC_MASTER"),
        "2m-noslave/broker-b.properties": ("broker-b", 0, "ASYNC_MASTER"),
    }
