"""Scenarios over nodes of which one has a stream of three partitions: streams.py SCENARIO STREAM URL-OF-OWNER
URL-OF-OTHERS... Everything is sent and read at the others."""
import sys
import time

from proton import Described, Message, int32, symbol, timestamp, ulong
from proton.reactor import Filter, ReceiverOption
from proton.utils import BlockingConnection, LinkDetached

from brokers import drain
from line import TIMEOUT, Sender

KEYS = [f"key-{i}" for i in range(7)]


class From(Filter):
    def __init__(self, start):
        name = symbol("rabbitmq:stream-offset-spec")
        super().__init__({name: Described(name, start)})


class Select(Filter):
    def __init__(self, text):
        super().__init__({symbol("selector"): Described(ulong(0x468C00000004), text)})


class Property(ReceiverOption):
    def __init__(self, **properties):
        self.properties = {symbol(key): value for key, value in properties.items()}

    def apply(self, receiver):
        receiver.properties = self.properties


class KeyedSender(Sender):
    """Sends each body with its key, one that is released again."""

    def on_sendable(self, event):
        while event.sender.credit and self.due:
            number = self.due.pop(0)
            key, body = self.bodies[number]
            event.sender.send(
                Message(body=body, annotations={symbol("x-opt-partition-key"): key}), tag=f"{number}")


def send(url, stream, bodies):
    sender = KeyedSender(url, stream, bodies, again=True)
    sender.run()
    assert all(outcome[0] == "ACCEPTED" for outcome in sender.outcomes.values()), sender.outcomes


def notes(message):
    return {str(key): value for key, value in message.annotations.items()}


def place(message):
    return int(notes(message)["x-opt-partition"]), int(notes(message)["x-opt-offset"])


def text(message):
    return message.body if isinstance(message.body, str) else bytes(message.body).decode()


class Reading:
    def __init__(self, url, stream, *options, credit=100):
        self.connection = BlockingConnection(url, timeout=TIMEOUT)
        self.receiver = self.connection.create_receiver(stream, credit=credit, options=list(options))

    def take(self, count):
        got = []
        for _ in range(count):
            got.append(self.receiver.receive(timeout=TIMEOUT))
            self.receiver.accept()
        return got

    def close(self):
        self.connection.close()


def known(stream, url):
    """Word of a stream that was made elsewhere has come to a node."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            return Reading(url, stream, From("next")).close()
        except LinkDetached as refusal:
            assert refusal.condition == "amqp:not-found" and time.monotonic() < end, refusal
            time.sleep(0.05)


def drained(stream, owner, *others):
    """A reader elsewhere that drains its link gets all records that are there, then its credit back."""
    send(others[0], stream, [(KEYS[i % 7], f"{i}") for i in range(30)])
    reading = Reading(others[-1], stream, From("first"), credit=0)
    assert len(drain(reading.connection, reading.receiver, 20)) == 20
    assert len(drain(reading.connection, reading.receiver, 20)) == 10
    assert drain(reading.connection, reading.receiver, 20) == []
    send(others[0], stream, [(KEYS[0], "more")])
    assert drain(reading.connection, reading.receiver, 20) == ["more"]
    reading.close()


def positions(stream, owner, *others):
    """A reader elsewhere begins where it says, of all partitions or of one; the producer's key chooses the partition."""
    far = others[-1]
    next_reading = Reading(far, stream, From("next"))
    send(far, stream, [(KEYS[i % 7], f"{i}") for i in range(60)])
    everything = Reading(others[0], stream, From("first"))
    records = everything.take(60)
    assert sorted(text(r) for r in records) == sorted(f"{i}" for i in range(60))
    assert sorted(text(r) for r in next_reading.take(60)) == sorted(f"{i}" for i in range(60))
    partitions = {}
    for record in records:
        partition, offset = place(record)
        rows = partitions.setdefault(partition, [])
        assert offset == len(rows), (partition, offset, len(rows))
        rows.append(record)
    assert len(partitions) > 1, partitions.keys()
    for key in range(7):
        places = {p for p, rows in partitions.items() for r in rows if int(text(r)) % 7 == key}
        assert len(places) == 1, (key, places)
    partition, rows = max(partitions.items(), key=lambda entry: len(entry[1]))
    half = len(rows) // 2
    for start, expected in (
            (ulong(half), rows[half:]), ("first", rows), ("last", rows[-1:]), ("1h", rows),
            (timestamp(notes(rows[0])["x-opt-enqueued-time"]), rows)):
        reading = Reading(far, stream, From(start), Property(partition=int32(partition)))
        got = reading.take(len(expected))
        assert [place(r) for r in got] == [place(r) for r in expected], (start, [place(r) for r in got])
        reading.close()
    selected = Reading(far, stream, Select(f"amqp.annotation.x-opt-offset > '{half}'"), Property(partition=int32(partition)))
    assert place(selected.take(1)[0]) == (partition, half + 1)
    named = Reading(far, f"{stream}/ConsumerGroups/$Default/Partitions/{partition}", From("first"))
    assert [place(r) for r in named.take(len(rows))] == [place(r) for r in rows]
    for reading in (next_reading, everything, selected, named):
        reading.close()


def batches(stream, owner, *others):
    """Batch after batch by offset, each by a link of its own: everything once."""
    send(others[0], stream, [("one", f"{i}") for i in range(500)])
    probe = Reading(others[-1], stream, From("first"), Property())
    partition = place(probe.take(1)[0])[0]
    probe.close()
    seen = []
    while len(seen) < 500:
        start = ulong(len(seen)) if seen else "first"
        reading = Reading(others[-1], stream, From(start), Property(partition=int32(partition)), credit=64)
        seen += [text(r) for r in reading.take(min(64, 500 - len(seen)))]
        reading.close()
    assert seen == [f"{i}" for i in range(500)], seen[:70]


def group(stream, owner, *others):
    """A group goes on at another node where it settled."""
    send(others[-1], stream, [(KEYS[i % 7], f"{i}") for i in range(40)])
    first = Reading(others[0], stream, From("first"), Property(group="g"))
    seen = [text(r) for r in first.take(25)]
    first.close()
    second = Reading(others[-1], stream, From("first"), Property(group="g"))
    while len(set(seen)) < 40:
        seen.append(text(second.take(1)[0]))
    # What was settled is not seen again; what the first had in hand and did not settle is.
    assert len(seen) == 40, len(seen)
    second.close()


def large(stream, owner, *others):
    """Records of several frames keep their order and their bytes."""
    bodies = [("k", f"{i}:" + "x" * (i * 40_000)) for i in range(12)]
    send(others[-1], stream, bodies)
    reading = Reading(others[-1], stream, From("first"), credit=3)
    assert [text(r) for r in reading.take(12)] == [body for _, body in bodies]
    reading.close()


def refused(stream, owner, *others):
    """What cannot be read is refused with the reason."""
    for address, options, condition in (
            ("no-such-stream", [From("first")], "amqp:not-found"),
            (stream, [From("yesterday")], "amqp:invalid-field"),
            (stream, [From("first"), Property(partition=99)], "amqp:"),
            ("_$broker.stream/" + stream, [], "amqp:unauthorized-access")):
        connection = BlockingConnection(others[-1], timeout=TIMEOUT)
        try:
            connection.create_receiver(address, credit=1, options=options).receive(timeout=TIMEOUT)
            assert False, f"{address} {options} was not refused"
        except LinkDetached as refusal:
            assert refusal.condition.startswith(condition), (address, refusal.condition, str(refusal))
        connection.close()


def lost(stream, owner, *others):
    """Says "reading" in the middle, when somebody takes the stream's node away: the link ends, for the reader to begin
    again behind what it has."""
    send(others[-1], stream, [("k", f"{i}") for i in range(20)])
    reading = Reading(others[-1], stream, From("first"))
    assert [text(r) for r in reading.take(20)] == [f"{i}" for i in range(20)]
    print("reading", flush=True)
    try:
        reading.receiver.receive(timeout=TIMEOUT)
        assert False, "a record came from nowhere"
    except LinkDetached as end:
        assert end.condition == "qd:routed-link-lost", end.condition


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
