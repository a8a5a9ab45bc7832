"""A disk that loses what nobody brought to it."""

import random
from collections.abc import Iterable
from pathlib import Path

from rmq.server.store.env import Env

_SECTOR = 512


class ForgetfulDisk(Env):
    """A file system on a machine whose power may be cut.

    What was synced stays. Of all that changed since, each sector was written by the system on its own, or was not. Of
    the files whose directory was not synced the youngest may be gone. Removing and renaming need no sync.

    Attributes:
        root: the directory to which this happens.
        chance: decides.
    """

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.chance = random.Random(seed)
        self._boot = 1
        self._kept: dict[str, bytes] = {}
        self._unlisted: list[str] = []

    def boot_id(self) -> bytes:
        return self._boot.to_bytes(16, "big")

    def sync_file(self, path: str) -> None:
        super().sync_file(path)
        self._keep(path)

    def sync_directory(self, path: str) -> None:
        super().sync_directory(path)
        self._unlisted = [file for file in self._unlisted if file.rpartition("/")[0] != path]

    def write_file(self, path: str, data: bytes) -> None:
        super().write_file(path, data)
        self._keep(path)

    def copy(self, path: str, stretches: Iterable[tuple[str, int, int]]) -> None:
        super().copy(path, stretches)
        self._keep(path)

    def resize(self, path: str, size: int) -> None:
        if not Path(path).exists():
            self._unlisted.append(path)
        super().resize(path, size)

    def remove(self, path: str) -> None:
        super().remove(path)
        self._kept.pop(path, None)

    def _keep(self, path: str) -> None:
        self._kept[path] = Path(path).read_bytes()

    def cut_power(self) -> None:
        """Leaves what the disk has; whoever used it must be gone. The machine is started anew."""
        self._boot += 1
        gone = set(self._unlisted[self.chance.randint(0, len(self._unlisted)) :])
        for file in sorted(path for path in self.root.rglob("*") if path.is_file()):
            path, seen = str(file), file.read_bytes()
            file.unlink()
            if path not in gone:
                file.write_bytes(self._mixed(self._kept.get(path, b"").ljust(len(seen), b"\0"), seen))
                self._keep(path)
        self._unlisted.clear()

    def _mixed(self, old: bytes, new: bytes) -> bytes:
        if old == new:
            return new
        share = self.chance.random()
        return b"".join(
            (new if self.chance.random() < share else old)[at : at + _SECTOR] for at in range(0, len(new), _SECTOR)
        )
