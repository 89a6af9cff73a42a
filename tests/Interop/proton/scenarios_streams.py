"""Streams that clients of Kafka's protocol read and write too; each is run by a test that brings the other side."""
from proton import Described, Message, symbol, timestamp, ulong
from proton.reactor import Filter, LinkOption

from common import connect, drain, scenario, take


class Start(Filter):
    def __init__(self, value):
        super().__init__({symbol("rabbitmq:stream-offset-spec"):
                          Described(symbol("rabbitmq:stream-offset-spec"), value)})


class Group(LinkOption):
    def __init__(self, name):
        self.name = name

    def apply(self, link):
        link.properties = {symbol("group"): self.name}


def receive(receiver, count):
    messages = []
    for _ in range(count):
        messages.append(receiver.receive(timeout=30))
        receiver.accept()
    return messages


@scenario
def stream_read(url, stream):
    """kcat wrote a:1, b:2 and c:3 with the header h=v, one after the other."""
    connection = connect(url)
    messages = receive(connection.create_receiver(stream, credit=10, options=[Start("first")]), 3)
    assert [bytes(m.body) for m in messages] == [b"1", b"2", b"3"], messages
    assert [m.properties for m in messages] == [{"h": "v"}] * 3, messages
    assert [m.annotations["x-opt-partition-key"] for m in messages] == ["a", "b", "c"]
    assert [m.annotations["x-opt-offset"] for m in messages] == ["0", "1", "2"]
    assert [m.annotations["x-opt-sequence-number"] for m in messages] == [0, 1, 2]
    assert all(m.annotations["x-opt-partition"] == 0 for m in messages)
    times = [m.annotations["x-opt-enqueued-time"] for m in messages]
    assert times == sorted(times) and times[0] > 1_600_000_000_000, times
    for start, expected in [("last", [b"3"]), (ulong(1), [b"2", b"3"]), (timestamp(int(times[0])), [b"1", b"2", b"3"])]:
        found = receive(connection.create_receiver(stream, credit=10, options=[Start(start)]), len(expected))
        assert [bytes(m.body) for m in found] == expected, (start, found)
    late = connection.create_receiver(stream, credit=10, options=[Start("next")])
    connection.create_sender(stream).send(Message(body=b"4", durable=True))
    assert bytes(late.receive(timeout=30).body) == b"4"


@scenario
def stream_write(url, stream):
    """kcat is to find three records, the first two of one key."""
    sender = connect(url).create_sender(stream)
    for key, body in [("k", b"one"), ("k", b"two"), ("other", b"three")]:
        sender.send(Message(body=body, inferred=True, durable=True, properties={"colour": "red"},
                            annotations={symbol("x-opt-partition-key"): key}))


@scenario
def stream_come_back(url, stream):
    """What AMQP wrote comes back as it was."""
    connection = connect(url)
    sent = [Message(body={"a": [1, True, "x"]}, id=ulong(7), subject="s", correlation_id="c", properties={"n": 5}),
            Message(body="text", durable=True, priority=7, group_id="g"),
            Message(body=[1, 2], content_type="x/y")]
    sender = connection.create_sender(stream)
    for message in sent:
        sender.send(message)
    for message, back in zip(sent, receive(connection.create_receiver(stream, credit=5, options=[Start("first")]), 3)):
        assert (back.body, back.id, back.subject, back.correlation_id, back.properties, back.content_type) == (
            message.body, message.id, message.subject, message.correlation_id, message.properties,
            message.content_type), back
        assert back.priority == message.priority, back


@scenario
def stream_group_takes(url, stream, group, count):
    """Reads so many as a member of a consumer group, and settles them."""
    connection = connect(url)
    receiver = connection.create_receiver(stream, credit=10, options=[Start("first"), Group(group)])
    bodies = take(receiver, int(count))
    print(" ".join(bytes(body).decode() for body in bodies))
    connection.close()


@scenario
def stream_credit(url, stream):
    """A drain ends when everything there was delivered."""
    connection = connect(url)
    receiver = connection.create_receiver(stream, credit=0, options=[Start("first")])
    drain(connection, receiver, 5000)
    assert len(receiver.fetcher.incoming) == 3000, len(receiver.fetcher.incoming)
