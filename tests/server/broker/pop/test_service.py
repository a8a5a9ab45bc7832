"""POP as a whole: what is on the disk after a stop, and who is told of messages."""

from pathlib import Path

from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from tests.kit.broker import Bench, messages, pull_header
from tests.kit.pops import ack, bodies, committed, fill, pass_time, pop, revive_log, start_pop


def test_a_stop_keeps_everything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, enablePopBufferMerge="true")
    bench.topic("T", 2)
    fill(bench, 3)
    fill(bench, 3, queue_id=1)
    bench.pops.modes.put("T", "G", MessageRequestModeBody("T", "G", MessageRequestMode.POP))
    answer = pop(bench, queue_id=0)
    ack(bench, answer, messages(answer)[0])
    pop(bench, queue_id=1, order=True, consumer_group="O")
    assert (revive_log(bench), committed(bench)) == ([], {0: 0})
    bench.pops.stop()
    assert [(tag, queue) for queue, tag, _ in revive_log(bench)] == [("ck", 0), ("ack", 0)]
    assert committed(bench) == {0: 3}
    assert {"consumerOrderInfo.json", "messageRequestMode.json"} <= bench.files.files.keys()
    again = Bench(tmp_path / "again")
    again.files.files = bench.files.files
    again.pops.load()
    assert again.pops.modes.of("T", "G").mode is MessageRequestMode.POP
    assert again.pops._orders.is_blocked(None, "T", "O", 1, 0)
    again.close()
    bench.close()


def test_ordered_pops_are_kept_now_and_then(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 1)
    pop(bench, order=True)
    bench.files.refuse = OSError(28, "full")
    pass_time(bench, 10.5)
    assert "consumerOrderInfo.json" not in bench.files.files
    bench.files.refuse = None
    pass_time(bench, 10)
    assert "consumerOrderInfo.json" in bench.files.files


def test_pulls_are_still_told_of_messages_when_pops_wait(bench: Bench) -> None:
    bench.topic("T", 1)
    popping, pulling = bench.peer(), bench.peer()
    assert start_pop(popping) == []
    pulling.send(Command(11, encode_header(pull_header("T", group="P", sys_flag=6)), opaque=3))
    assert pulling.answers() == []
    fill(bench, 1)
    bench.hold.wake()
    bench.clock.advance(0)
    assert [bodies(answer) for answer in popping.answers() + pulling.answers()] == [[b"0"], [b"0"]]


def test_a_group_may_pull_what_it_popped_before(bench: Bench) -> None:
    """Offsets are shared: a pull goes on behind the pops."""
    bench.topic("T", 1)
    fill(bench, 5)
    pop(bench, max_msg_nums=3)
    assert bench.offsets.query("G", "T", 0) == 3
    bench.offsets.commit("G", "T", 0, 4)
    assert bodies(pop(bench)) == [b"4"]
