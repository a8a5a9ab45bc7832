"""The program: exit codes, one line for each failure, help."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from rmq.admin.cli import main
from rmq.admin.declare import every, names
from tests.kit.ports import free_port
from tests.kit.tiny import answering, answering_always, server

PROGRAM = (sys.executable, "-m", "rmq.admin.cli")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    return code, *capsys.readouterr()


def test_done(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answering(0, None, b'{"topicList":["A","B"]}')) as address:
        assert run(capsys, "topicList", "-n", address) == (0, "A\nB\n", "")


def test_json_and_csv(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answering(0, None, b'{"topicList":["A"]}')) as address:
        assert run(capsys, "topicList", "-n", address, "-f", "json") == (0, '{\n  "topics": [\n    "A"\n  ]\n}\n', "")
    with server(answering(0, None, b'{"topicList":["A"]}')) as address:
        assert run(capsys, "topicList", "-n", address, "--format=csv") == (0, "topic\nA\n", "")


def test_name_server_from_the_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with server(answering(0, None, b'{"topicList":["A"]}')) as address:
        monkeypatch.setenv("NAMESRV_ADDR", address)
        assert run(capsys, "topicList") == (0, "A\n", "")


def test_the_next_name_server_is_asked_when_one_is_down(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answering(0, None, b'{"topicList":["A"]}')) as address:
        assert run(capsys, "topicList", "-n", f"127.0.0.1:{free_port()};{address}") == (0, "A\n", "")


def test_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    code, out, err = run(capsys, "topicList", "-n", address)
    assert (code, out) == (1, "")
    assert err.startswith(f"mqadmin topicList: connect to {address} failed")
    assert err.endswith(". Check the address, and that the server runs.\n")
    assert err.count("\n") == 1


def test_never_answers(capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with server(lambda connection: None) as address:
        code, out, err = run(capsys, "brokerStatus", "-b", address, "--timeout", "0.3")
    assert (code, out) == (1, "")
    assert err == (
        f"mqadmin brokerStatus: wait response on the channel <{address}> timeout, 300(ms)."
        " Check that a RocketMQ server listens there; --timeout waits longer.\n"
    )
    assert time.monotonic() - begun < 3


def test_garbage(capsys: pytest.CaptureFixture[str]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(serve) as address:
        code, out, err = run(capsys, "brokerStatus", "-b", address)
    assert (code, out) == (1, "")
    assert err.startswith(f"mqadmin brokerStatus: connection to {address} closed before the answer came: ")
    assert err.endswith(". Check that a RocketMQ server listens there.\n")
    assert err.count("\n") == 1


def test_garbage_as_a_body(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answering(0, None, b"not json")) as address:
        code, out, err = run(capsys, "topicList", "-n", address)
    assert (code, out) == (1, "")
    assert err.startswith("mqadmin topicList: TopicList: ")
    assert err.count("\n") == 1


def test_hangs_up(capsys: pytest.CaptureFixture[str]) -> None:
    with server(lambda connection: connection.close()) as address:
        code, out, err = run(capsys, "brokerStatus", "-b", address)
    assert (code, out) == (1, "")
    assert err.startswith(f"mqadmin brokerStatus: connection to {address} closed before the answer came")


def test_refused(capsys: pytest.CaptureFixture[str]) -> None:
    remark = (
        "No topic route info in name server for the topic: T\nSee https://rocketmq.apache.org/x for further details."
    )
    with server(answering(17, remark, b"")) as address:
        assert run(capsys, "topicRoute", "-t", "T", "-n", address) == (
            1,
            "",
            "mqadmin topicRoute: No topic route info in name server for the topic: T"
            f" ({address} answered code 17 TOPIC_NOT_EXIST). Check the name: mqadmin topicList.\n",
        )


def test_unknown_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answering(0, None, b'{"brokerAddrTable":{},"clusterAddrTable":{"C1":["a"]}}')) as address:
        assert run(capsys, "brokerStatus", "-c", "nope", "-n", address) == (
            1,
            "[error] Make sure the specified clusterName exists or the name server connected to is correct.",
            "mqadmin brokerStatus: the cluster nope does not exist. There are these clusters: C1.\n",
        )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("topicList", "-n", "nonsense"), "topicList: The Name Server Address[nonsense] illegal, "),
        (("topicList", "-f", "xml"), "topicList: format xml is unknown: text, json, csv"),
        (("topicList", "--timeout", "soon"), "topicList: timeout soon: seconds from above 0 to 86400 are expected"),
        (("topicList", "--timeout", "0"), "topicList: timeout 0: "),
        (("updateTopic", "-b", "x:1", "-t", "T", "-r", "abc"), 'updateTopic: For input string: "abc": a whole number'),
        (("updateTopic", "-b", "x:1", "-t", "T", "-r", "99999999999"), 'updateTopic: For input string: "99999999999"'),
        (("sendMessage", "-t", "T", "-p", "x", "-b", "b", "-i", "z"), 'sendMessage: For input string: "z"'),
        (
            ("queryMsgById", "-t", "T", "-i", "x", "-f", "klingon"),
            "queryMsgById: charset klingon is unknown",
        ),
        (("consumeMessage", "-t", "T", "-s", "2026#"), "consumeMessage: time 2026#: milliseconds or "),
        (("updateSubGroup", "-b", "x:1", "-g", "G", "-p", "{"), "updateSubGroup: groupRetryPolicy: "),
        (("updateTopic", "-b", "x:1", "-t", "T", "-a", "a=b"), "updateTopic: add/alter attribute format is wrong: a"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"mqadmin {complaint}")
    assert err.count("\n") == 1


def test_a_refusal_stands_on_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "Please set the brokerName before queueId!"
    assert run(capsys, "consumeMessage", "-t", "T", "-i", "0") == (2, sentence, f"mqadmin consumeMessage: {sentence}\n")


def test_one_of_two_options_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "updateSubGroup", "-g", "G")
    assert code == 2
    assert out.startswith("usage: mqadmin updateSubGroup ")
    assert err == "mqadmin updateSubGroup: -b or -c is missing\n"


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "topiclst") == (
        2,
        "The sub command topiclst not exist.\n",
        "mqadmin unknown command topiclst. Did you mean topicList or topicStatus?\n",
    )
    assert (
        run(capsys, "topicDelete")[2] == "mqadmin unknown command topicDelete. Did you mean deleteTopic or topicList?\n"
    )
    assert run(capsys, "help", "zzz")[2] == "mqadmin unknown command zzz. All commands: mqadmin help.\n"


@pytest.mark.parametrize("words", [(), ("help",), ("-h",), ("--help",), ("help", "-h")])
def test_list(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *words)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "The most commonly used mqadmin commands are:"
    assert lines[-2:] == ["", "See 'mqadmin help <command>' for more information on a specific command."]
    beside = lines.index("Beside them:")
    assert [line.split()[0] for line in lines[1 : beside - 1]] == list(names())
    assert [line.split()[0] for line in lines[beside + 1 : -2]] == ["help", "shell", "completion"]
    assert "   topicList                           List the topics that the name server knows." in lines


@pytest.mark.parametrize("words", [("help", "TOPICroute"), ("topicRoute", "-t", "T", "-h")])
def test_help(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert out.startswith("usage: mqadmin topicRoute [-h] [-l] [-n <arg>] -t <arg>\n -h,--help")


@pytest.mark.parametrize("name", ["shell", "completion"])
def test_help_of_what_is_no_command(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, err = run(capsys, "help", name)
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: mqadmin {name} ")
    assert run(capsys, name, "-h") == (code, out, err)


def test_ctrl_c_ends_a_repetition() -> None:
    with server(answering_always(lambda code: (0, None, b'{"topicList":["A"]}'))) as address:
        words = [*PROGRAM, "topicList", "--watch", "0.05", "-n", address]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == ["A\n"] * 3
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "topicList", "-n", f"127.0.0.1:{free_port()}", "--debug")
    assert "Traceback (most recent call last):" in err
    assert err.splitlines()[-1].startswith("mqadmin topicList: connect to ")


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            return

    class Quiet:
        def close(self) -> None:
            return

    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", Quiet())
    assert main(["help"]) == 1


def test_a_full_disk_is_one_line() -> None:
    for words in (["help"], ["topicList", "-h"]):
        with open("/dev/full", "w") as full:
            line = [*PROGRAM, *words]
            done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (1, "mqadmin: No space left on device\n")
    with server(answering(0, None, b'{"topicList":["A"]}')) as address, open("/dev/full", "w") as full:
        words = [*PROGRAM, "topicList", "-n", address]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "mqadmin topicList: No space left on device\n")


@pytest.mark.parametrize(("closed", "out", "err"), [("0<&-", "A\n", ""), ("1>&-", "", ""), ("2>&-", "A\n", "")])
def test_streams_that_are_closed(closed: str, out: str, err: str) -> None:
    with server(answering(0, None, b'{"topicList":["A"]}')) as address:
        words = ["sh", "-c", f'"$@" {closed}', "sh", *PROGRAM, "topicList", "-n", address]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, out, err)


@pytest.mark.parametrize("words", [("topicRoute", "-t", "\udcff"), ("\udcff",), ("help", "\udcff")])
def test_words_that_are_no_text(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert run(capsys, *words) == (2, "", "mqadmin the command line is not UTF-8\n")


def test_every_command_is_declared_well() -> None:
    for command in every():
        assert command.summary.endswith("."), command.name
        assert command.data, command.name
        for option in command.options:
            assert option.help.endswith("."), (command.name, option.key)


def test_a_light_command_imports_nothing_heavy() -> None:
    heavy = {"twisted", "construct", "jproperties", "zstandard", "lz4", "tabulate", "prompt_toolkit"}
    script = (
        "import sys; from rmq.admin.cli import main; main(['topicList', '-n', '127.0.0.1:1']);"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
