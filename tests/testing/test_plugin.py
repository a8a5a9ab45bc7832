"""The plugin is installed by its entry point and costs a suite that does not use it nothing."""

import subprocess
import sys
from pathlib import Path

SUITE = """
import sys

def test_nothing_is_imported_before_it_is_used():
    assert "twisted" not in sys.modules

def test_a_server_is_there(rocketmq):
    host, port = rocketmq.namesrv_addr.split(":")
    assert host == "127.0.0.1"
    assert int(port) > 0

def test_more_servers_are_there(rocketmq, rocketmq_factory):
    assert rocketmq_factory().namesrv_addr != rocketmq.namesrv_addr

def test_a_cluster_is_there(rocketmq_cluster):
    cluster = rocketmq_cluster("2m-noslave")
    assert list(cluster.members) == ["namesrv-1", "broker-a", "broker-b"]
    assert all(member.is_running for member in cluster.members.values())
"""


def test_a_foreign_suite_uses_it_without_any_setup(tmp_path: Path) -> None:
    (tmp_path / "test_foreign.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:twisted", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
