"""Sizes, contents and properties: what goes in comes out."""
import datetime
import hashlib
import os
import uuid

from proton import Data, Described, Message, char, symbol, timestamp, ubyte, uint, ulong, ushort, byte, short, int32

from common import connect, fresh, nothing_comes, scenario, send_all, take


@scenario
def size(url, bytes_text):
    """One durable message of that many random bytes, in and out by two connections."""
    count = int(bytes_text)
    body = os.urandom(count)
    address = fresh()
    producer = connect(url)
    producer.create_sender(address).send(Message(body=body, durable=True), timeout=150)
    producer.close()
    consumer = connect(url)
    receiver = consumer.create_receiver(address)
    received = receiver.receive(timeout=150)
    assert hashlib.sha256(received.body).digest() == hashlib.sha256(body).digest(), "the body changed"
    assert received.durable
    receiver.accept()
    nothing_comes(consumer, receiver)
    consumer.close()


@scenario
def many_sizes_interleaved(url):
    """Small and large deliveries on one session do not get into each other."""
    address, connection = fresh(), connect(url)
    bodies = [os.urandom(n) for n in (1, 70_000, 0, 300_000, 17, 1_000_000, 5, 65_535, 65_536, 262_144)]
    send_all(connection, address, bodies)
    assert take(connection.create_receiver(address, credit=4), len(bodies)) == bodies
    connection.close()


@scenario
def all_properties(url):
    """Every section and field of a message survives the way through a queue."""
    address, connection = fresh(), connect(url)
    sent = Message(
        body={"key": [1, "two", None, True]}, durable=True, priority=7, ttl=60.0, id="id-1", user_id=b"guest",
        address=address, subject="subject", reply_to="back", correlation_id=ulong(99),
        content_type=symbol("application/x"), content_encoding=symbol("gzip"), expiry_time=4_000_000_000.0,
        creation_time=1_700_000_000.0, group_id="group", group_sequence=12, reply_to_group_id="other",
        annotations={symbol("x-opt-own"): "annotation"}, instructions={symbol("x-own"): 1},
        properties={"text": "täxt", "number": -5, "flag": True, "double": 1.5, "long": ulong(2 ** 63), "none": None,
                    "uuid": uuid.UUID(int=5), "when": timestamp(1234567), "raw": b"\x00\xff", "char": char("x"),
                    "ubyte": ubyte(200), "ushort": ushort(60000), "uint": uint(4_000_000_000), "byte": byte(-100),
                    "short": short(-30000), "int": int32(-2_000_000_000), "symbol": symbol("s")})
    connection.create_sender(address).send(sent)
    receiver = connection.create_receiver(address)
    got = receiver.receive()
    receiver.accept()
    for field in ("body", "durable", "priority", "id", "user_id", "address", "subject", "reply_to", "correlation_id",
                  "content_type", "content_encoding", "expiry_time", "creation_time", "group_id", "group_sequence",
                  "reply_to_group_id", "properties"):
        assert getattr(got, field) == getattr(sent, field), f"{field}: {getattr(got, field)!r}"
    assert got.annotations[symbol("x-opt-own")] == "annotation"
    assert 0 < got.ttl <= 60.0 and got.delivery_count == 0
    assert {k: type(v) for k, v in got.properties.items()} == {k: type(v) for k, v in sent.properties.items()}
    connection.close()


@scenario
def body_kinds(url):
    """Data, value and sequence bodies of all types come out as they went in."""
    address, connection = fresh(), connect(url)
    bodies = [None, True, 0, -1, 2 ** 40, 1.25, "text", b"binary", symbol("symbol"), uuid.UUID(int=1), timestamp(5),
              [1, [2, [3]]], {"a": {"b": "c"}}, Described(ulong(77), "described"), "x" * 300, b"y" * 300, "", b"", []]
    send_all(connection, address, bodies)
    receiver = connection.create_receiver(address, credit=10)
    got = take(receiver, len(bodies))
    receiver.close()
    assert got == bodies, f"{got}"
    inferred = Message(body=b"opaque", inferred=True, durable=True)
    connection.create_sender(address).send(inferred)
    receiver = connection.create_receiver(address)
    message = receiver.receive()
    assert message.inferred and bytes(message.body) == b"opaque"
    receiver.accept()
    connection.close()


@scenario
def priorities_go_first(url):
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address)
    for priority in (0, 4, 9, 4, 7, 1, 9):
        sender.send(Message(body=priority, priority=priority, durable=True))
    assert take(connection.create_receiver(address), 7) == [9, 9, 7, 4, 4, 1, 0]
    connection.close()


@scenario
def expired_messages_are_not_delivered(url):
    import time
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address)
    sender.send(Message(body="short", ttl=0.05, durable=True))
    sender.send(Message(body="long", ttl=600.0, durable=True))
    time.sleep(0.3)
    receiver = connection.create_receiver(address)
    assert take(receiver, 1) == ["long"]
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def order_is_kept(url):
    """5,000 messages, pipelined, by one sender to one receiver."""
    from pipeline import receive_pipelined, send_pipelined
    address = fresh()
    send_pipelined(url, address, 5000)
    assert receive_pipelined(url, address, 5000) == list(range(5000))
