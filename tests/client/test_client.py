"""The package's front door."""

import subprocess
import sys

import pytest

import rmq.client


def test_every_name_is_there() -> None:
    assert {name for name in rmq.client.__all__ if getattr(rmq.client, name) is not None} == set(rmq.client.__all__)
    assert set(rmq.client._HOME) == set(rmq.client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = rmq.client.Nonsense  # type: ignore[attr-defined]


def test_importing_it_costs_next_to_nothing() -> None:
    code = "import sys, rmq.client; sys.exit(any(name.startswith('twisted') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_messages_need_no_twisted() -> None:
    """Commands that live for a tenth of a second use them too."""
    code = "import sys, rmq.client.message; sys.exit(any(name.startswith('twisted') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
