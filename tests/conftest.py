"""What holds for every test of the project."""

import gc
from collections.abc import Generator
from typing import Any, Final

import pytest

pytest.register_assert_rewrite("tests.kit", "tests.interop.scenarios")

from tests.kit.toolchains import all_present  # noqa: E402  (after the line above, so that its asserts explain themselves)

_BETWEEN_COLLECTIONS: Final = 50_000
"""Objects that come to life before cycles are looked for: with Python's 700 that took a quarter of the processor time
of the terminal interface's tests, and found little."""


def pytest_collection_finish() -> None:
    """What was imported stays, and is not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN_COLLECTIONS, 10, 10)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every toolchain is installed, an interop test that skips has failed: nothing excuses it."""
    report = yield
    if report.skipped and item.get_closest_marker("interop") and all_present():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = (
            f"an interop test may not skip where java, mvn, go and npm are all installed; it said: {reason}"
        )
    return report
