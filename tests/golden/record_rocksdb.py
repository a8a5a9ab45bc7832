"""Records a RocksDB directory of Apache's broker: `python -m tests.golden.record_rocksdb` writes
tests/golden/apache_rocksdb.tar.xz.

It holds the three directories under `config` of a broker with `storeType=defaultRocksDB`, and in `printed` what
Apache's mqadmin prints of them, by the names in `PRINTED`.
"""

import io
import tarfile
import tempfile
from pathlib import Path

from tests.kit.apache import ApacheCluster, MqAdmin
from tests.kit.frames import ask

RECORDING = Path(__file__).with_name("apache_rocksdb.tar.xz")
TABLES = ("topics", "subscriptionGroups", "consumerOffsets")

PRINTED = {
    **{f"{table}.json": ("rocksDBConfigToJson", "-t", table) for table in TABLES},
    **{f"{table}.rows": ("rocksDBConfigToJson", "-t", table, "-j", "false") for table in TABLES},
    "old.json": ("exportMetadataInRocksDB", "-t", "topics", "-j", "true"),
    "old.rows": ("exportMetadataInRocksDB", "-t", "subscriptionGroups"),
    "old.other": ("exportMetadataInRocksDB", "-t", "consumerOffsets"),
}
"""Command lines without the directory."""

_UPDATE_CONSUMER_OFFSET = 15
_POLICY = '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":10000,"multiplier":2}}'


def record(home: Path) -> None:
    """Runs a broker, fills its tables, and keeps them."""
    server = ApacheCluster(home, extra={"storeType": "defaultRocksDB"})
    admin = MqAdmin(server.namesrv_addr, home)
    try:
        broker = ("-b", server.broker_addr)
        admin.out("updateTopic", *broker, "-t", "T_one", "-r", "3", "-w", "5", "-p", "4")
        admin.out("updateTopic", *broker, "-t", "T_fifo", "-r", "1", "-w", "1", "-a", "+message.type=FIFO")
        admin.out("updateSubGroup", *broker, "-g", "G_one", "-r", "3", "-q", "2")
        admin.out("updateSubGroup", *broker, "-g", "G_two", "-p", _POLICY)
        for queue, offset in ((0, 7), (1, 70000)):
            fields = {"consumerGroup": "G_one", "topic": "T_one", "queueId": str(queue), "commitOffset": str(offset)}
            header, _ = ask(server.broker_addr, _UPDATE_CONSUMER_OFFSET, fields)
            if header["code"] != 0:
                raise RuntimeError(f"the offset was refused: {header}")
        server.stop()
        config = server.store_dir / "config"
        with tarfile.open(RECORDING, "w:xz") as archive:
            for table in TABLES:
                archive.add(config / table, table)
            for name, (command, *words) in PRINTED.items():
                printed = admin.run_as_given([command, "-p", str(config), *words]).out.encode()
                entry = tarfile.TarInfo(f"printed/{name}")
                entry.size = len(printed)
                archive.addfile(entry, io.BytesIO(printed))
    finally:
        admin.close()
        server.kill()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        record(Path(directory))
