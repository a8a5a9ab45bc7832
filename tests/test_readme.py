"""README says what is true: two commands, and a program that runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from rmq.testing.server import RocketMQ

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_set_up_is_two_commands() -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/rmq standalone --demo")
    assert commands[1].endswith(".venv/bin/python -m pytest")


def test_the_python_program_sends_a_message(rocketmq: RocketMQ) -> None:
    (program,) = (block for block in blocks("python") if "asyncio.run" in block)
    program = program.replace("127.0.0.1:9876", rocketmq.namesrv_addr)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(
        r"SendResult \[sendStatus=SEND_OK, msgId=[0-9A-F]{32,56}, offsetMsgId=[0-9A-F]{32}, "
        r"messageQueue=MessageQueue \[topic=TopicTest, brokerName=[\w-]+, queueId=[0-3]\], queueOffset=0, "
        r"recallHandle=null\]\n",
        done.stdout,
    )
