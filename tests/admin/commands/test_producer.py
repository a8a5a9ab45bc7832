"""Producers."""

from rmq.wire.bodies.connection import ProducerInfo, ProducerTableInfo
from rmq.wire.requests.consumer import GetAllProducerInfo
from tests.kit.adminfake import MASTER_A, FakeServers, report

TABLE = ProducerTableInfo({"P": [ProducerInfo("c@1", "/10.0.0.1:5", "JAVA", 493, 7)], "Q": []})


def test_producers() -> None:
    made = report(FakeServers({GetAllProducerInfo: TABLE}), "producer", "-b", MASTER_A)
    assert made.render("text") == (
        "producer group (P) instance : clientId=c@1,remoteIP=/10.0.0.1:5, language=JAVA, version=493, "
        "lastUpdateTimestamp=7\n"
        "producer group (Q) instances are empty\n"
    )
    client = {"clientId": "c@1", "remoteIP": "/10.0.0.1:5", "language": "JAVA", "version": 493}
    assert made.members == {"groups": {"P": [{**client, "lastUpdateTimestamp": 7}], "Q": []}}


def test_none() -> None:
    made = report(FakeServers({GetAllProducerInfo: ProducerTableInfo()}), "producer", "-b", MASTER_A)
    assert (made.render("text"), made.members) == ("", {"groups": {}})
