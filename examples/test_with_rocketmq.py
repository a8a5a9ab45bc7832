"""A test of one's own that runs against a real broker: the fixture `rocketmq` starts one in this process.

    python -m pytest examples/test_with_rocketmq.py

prints `2 passed`. Nothing else has to run; `pip install rmq` brings the fixture along.
"""

import pytest

from rmq.client import ConsumeFromWhere as From
from rmq.client import LitePullConfig, Message, blocking


def place_order(producer, number):
    """The code under test."""
    return producer.send(Message("Orders", f"order {number}", keys=str(number)))


@pytest.fixture
def producer(rocketmq):
    with blocking.Producer("shop", namesrv_addr=rocketmq.namesrv_addr) as running:
        yield running


def test_an_order_is_stored(producer):
    assert place_order(producer, 1).send_status == "SEND_OK"


def test_an_order_reaches_the_warehouse(rocketmq, producer):
    place_order(producer, 2)
    config = LitePullConfig(consume_from_where=From.CONSUME_FROM_FIRST_OFFSET)
    warehouse = blocking.LitePullConsumer("warehouse", namesrv_addr=rocketmq.namesrv_addr, config=config)
    warehouse.subscribe("Orders")
    with warehouse:
        arrived = []
        while "2" not in arrived:
            messages = warehouse.poll(timeout=20)
            assert messages, "nothing came in time"
            arrived += [message.keys for message in messages]
