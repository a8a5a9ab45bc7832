"""README says what is true: two commands, and programs that run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rmq.testing.plugin import Factory
from rmq.testing.server import RocketMQ
from tests.kit import toolchains

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

SEND_RESULT = re.compile(
    r"SendResult \[sendStatus=SEND_OK, msgId=[0-9A-F]{32,56}, offsetMsgId=[0-9A-F]{32}, "
    r"messageQueue=MessageQueue \[topic=TopicTest, brokerName=[\w-]+, queueId=[0-3]\], queueOffset=0, "
    r"recallHandle=null\]\n"
)

# What an editor writes around statements that were pasted into it.
JAVA = """\
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

public class Readme {
    public static void main(String[] arguments) throws Exception {
%s
    }
}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_set_up_is_two_commands() -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/rmq standalone --demo")
    assert commands[1].endswith(".venv/bin/python -m pytest -n 4 --dist loadfile")


def test_the_python_program_sends_a_message(rocketmq: RocketMQ) -> None:
    (program,) = (block for block in blocks("python") if "asyncio.run" in block)
    program = program.replace("127.0.0.1:9876", rocketmq.namesrv_addr)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert SEND_RESULT.fullmatch(done.stdout)


@pytest.mark.interop
def test_the_java_program_sends_a_message(rocketmq_factory: Factory, tmp_path: Path) -> None:
    toolchains.require("java")
    running = rocketmq_factory(tmp_path / "server")
    (program,) = blocks("java")
    program = program.replace("127.0.0.1:9876", running.namesrv_addr)
    source = tmp_path / "Readme.java"
    source.write_text(JAVA % program, encoding="utf-8")
    class_path = toolchains.java_client(toolchains.APACHE_VERSION).class_path
    subprocess.run(["javac", "-cp", class_path, "-d", tmp_path, source], timeout=60, check=True)
    words = toolchains.java(f"{tmp_path}:{class_path}", "Readme")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert SEND_RESULT.fullmatch(done.stdout)
