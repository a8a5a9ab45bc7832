"""Small files on the disk: replaced as a whole, the one before kept, permissions too."""

import stat
from pathlib import Path

from rmq.server.files import DiskFiles


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "config" / "a.json"
    files = DiskFiles()
    assert files.read(str(path)) is None
    files.replace(str(path), b"1")
    assert not path.with_name("a.json.bak").exists()
    files.replace(str(path), b"2")
    assert files.read(str(path)) == b"2"
    assert files.read(f"{path}.bak") == b"1"
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["a.json", "a.json.bak"]


def test_a_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    (tmp_path / "users.json.tmp").write_text("left by a crash")
    for content in (b"1", b"2"):
        DiskFiles().replace(str(path), content, private=True)
    assert [mode(path), mode(tmp_path / "users.json.bak")] == [0o600, 0o600]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "broker.conf"
    for wanted in (0o600, 0o640, 0o644):
        path.write_text("before")
        path.chmod(wanted)
        DiskFiles().replace(str(path), b"after", private=True)
        assert (mode(path), path.read_bytes()) == (wanted, b"after")
