"""The progress line: nothing at first, then now and then, and wiped in the end."""

import io

from rmq.admin.progress import ProgressLine


def test_a_quick_operation_draws_nothing() -> None:
    out = io.StringIO()
    line = ProgressLine(out, lambda: 0.5)
    for done in range(1, 4):
        line(done, 3)
    line.wipe()
    assert out.getvalue() == ""


def test_a_long_one_is_drawn_a_few_times_a_second() -> None:
    out, now = io.StringIO(), [0.0]
    line = ProgressLine(out, lambda: now[0])
    for now[0], done in ((0.5, 1), (0.8, 2), (0.85, 3), (0.91, 4)):
        line(done, 4)
    assert out.getvalue() == (
        "\r[###############...............] 2 of 4\x1b[K\r[##############################] 4 of 4\x1b[K"
    )
    line.wipe()
    line.wipe()
    assert out.getvalue().endswith("4 of 4\x1b[K\r\x1b[K")
