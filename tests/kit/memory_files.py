"""Files in memory, as servers keep them."""


class MemoryFiles:
    """`rmq.server.files.SmallFiles` without a disk. `refuse` makes writing fail."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files or {}
        self.private: set[str] = set()
        self.refuse: OSError | None = None

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def replace(self, path: str, content: bytes, *, private: bool = False) -> None:
        if self.refuse is not None:
            raise self.refuse
        if private:
            self.private.add(path)
        self.files[path] = content
