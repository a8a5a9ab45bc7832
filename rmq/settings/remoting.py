"""Keys of the network side (Apache's NettyServerConfig and NettyClientConfig) that change what it does."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.settings.option import option


@dataclass(slots=True)
class ServerConfig:
    """The listening side. The name server's default port is 9876, the broker's 10911."""

    bind_address: str = option("0.0.0.0", "Address to listen on; 0.0.0.0 is every interface.")
    listen_port: int = option(
        10911, "Port to listen on; 0 lets the system choose.", shown="9876 (name server), 10911 (broker)",
        important=True, minimum=0, maximum=65535,
    )  # fmt: skip
    server_channel_max_idle_time_seconds: int = option(
        120, "Silence after which a connection is closed.", unit="s", minimum=1
    )
    frame_max_length: int = option(
        16_777_216, "Largest frame that is accepted; a longer one closes the connection.",
        unit="bytes", minimum=1024, quiet=True,
    )  # fmt: skip


@dataclass(slots=True)
class ClientConfig:
    """The calling side: a broker towards name servers and its master."""

    connect_timeout_millis: int = option(3_000, "Time in which a connection must stand.", unit="ms", minimum=1)
