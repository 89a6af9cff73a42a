"""Scenarios over nodes of which one has a broker's queue: brokers.py SCENARIO URL-OF-OWNER URL-OF-OTHERS..."""
import sys
import threading

from proton import Message
from proton.reactor import Container
from proton.utils import BlockingConnection

from line import TIMEOUT, Receiver, Sender, accept, deliver, fresh, settle
from proton import Delivery


def wait_in_the_queue(owner, near, far):
    """Messages travel to a queue of another node and wait there; who draws elsewhere empties it."""
    queue = fresh("queue")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    maker.create_sender(f"queue://{queue}").send(Message(body="made"))
    sender = Sender(far, queue, list(range(500)), again=True)
    sender.run()
    assert all(outcome[0] == "ACCEPTED" for outcome in sender.outcomes.values())
    receiver = Receiver(near, queue, 501, accept)
    Container(receiver).run()
    assert receiver.bodies == ["made", *range(500)], receiver.bodies[:5]
    empty = maker.create_receiver(queue, credit=1)
    sender = Sender(far, queue, ["last"], again=True)
    sender.run()
    assert empty.receive(timeout=TIMEOUT).body == "last"
    empty.accept()
    maker.close()


def outcomes_reach_the_queue(owner, near, far):
    """What is released elsewhere comes again, and what is rejected is gone."""
    queue = fresh("queue")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    sender = maker.create_sender(f"queue://{queue}")
    for number in range(10):
        sender.send(Message(body=number))
    seen = []

    def answer(number, delivery):
        seen.append(number)
        settle(delivery, Delivery.RELEASED if number == 0 else Delivery.ACCEPTED)

    receiver = Receiver(far, queue, 11, answer)
    Container(receiver).run()
    assert sorted(receiver.bodies) == [0, *range(10)], receiver.bodies
    maker.close()


def large_queue(owner, near, far):
    """A message longer than what a node would keep in memory goes over two nodes into a queue, onto its disk."""
    queue = fresh("queue")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    maker.create_sender(f"queue://{queue}").send(Message(body="made"))
    body = bytes(range(256)) * (4096 * 20)
    sender = Sender(far, queue, [body, b"behind"], again=True)
    sender.run()
    assert all(outcome[0] == "ACCEPTED" for outcome in sender.outcomes.values()), sender.outcomes
    receiver = maker.create_receiver(queue, credit=3)
    for expected in ("made", body, b"behind"):
        got = receiver.receive(timeout=TIMEOUT).body
        assert bytes(got) == expected if isinstance(expected, bytes) else got == expected, len(got)
        receiver.accept()
    maker.close()


def large_from_queue(owner, near, far):
    """A message longer than what a node would keep in memory waits in a queue, and is drawn over two nodes."""
    queue = fresh("queue")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    body = bytes(range(256)) * (4096 * 40)
    sender = maker.create_sender(f"queue://{queue}")
    sender.send(Message(body=body, durable=True))
    sender.send(Message(body=b"behind", durable=True))
    seen = []

    def answer(number, delivery):
        seen.append(number)
        settle(delivery, Delivery.RELEASED if number == 0 else Delivery.ACCEPTED)

    receiver = Receiver(far, queue, 3, answer)
    Container(receiver).run()
    assert sorted(len(body) for body in receiver.bodies) == [6, len(body), len(body)], [len(b) for b in receiver.bodies]
    assert all(bytes(got) in (body, b"behind") for got in receiver.bodies)
    maker.close()


def drained(owner, near, far):
    """Who drains its link gets all that the queue of another node has, as far as its credit goes, and then its credit
    back; also at once after the attach, when that node does not know of it yet."""
    queue = fresh("queue")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    sender = maker.create_sender(f"queue://{queue}")
    for number in range(25):
        sender.send(Message(body=number, durable=True))
    # Word of the queue has to be there: before, it is an address like any other.
    Sender(far, queue, [25], again=True).run()
    connection = BlockingConnection(far, timeout=TIMEOUT)
    receiver = connection.create_receiver(queue, credit=0)
    assert drain(connection, receiver, 20) == list(range(20))
    assert drain(connection, receiver, 20) == list(range(20, 26))
    assert drain(connection, receiver, 20) == []
    sender.send(Message(body="more", durable=True))
    assert drain(connection, receiver, 20) == ["more"]
    connection.close()
    maker.close()


def drain(connection, receiver, credit):
    """Gives credit, takes it back, and accepts what has come by then."""
    receiver.link.drain(credit)
    connection.wait(lambda: receiver.link.credit == 0, timeout=TIMEOUT)
    bodies = []
    while receiver.fetcher.has_message:
        bodies.append(receiver.fetcher.pop().body)
        receiver.accept()
    return bodies


def topic(owner, near, far):
    """A consumer elsewhere hears what is published to a topic at its node, and from a third node."""
    name = fresh("news")
    maker = BlockingConnection(owner, timeout=TIMEOUT)
    here = maker.create_receiver(f"topic://{name}", credit=100)
    receivers = [Receiver(url, name, sys.maxsize, accept, credit=100) for url in (near, far)]
    for receiver in receivers:
        threading.Thread(target=Container(receiver).run, daemon=True).start()
        assert receiver.ready.wait(TIMEOUT)
    publisher = maker.create_sender(f"topic://{name}")
    while not all(receiver.bodies for receiver in receivers):
        publisher.send(Message(body="probe"))
    Sender(far, name, ["from far"], again=True).run()
    publisher.send(Message(body="from here"))
    while not all("from here" in receiver.bodies for receiver in receivers):
        maker.wait(lambda: True)
    for receiver in receivers:
        assert [body for body in receiver.bodies if body != "probe"] == ["from far", "from here"], receiver.bodies
    bodies = []
    while "from here" not in bodies:
        bodies.append(here.receive(timeout=TIMEOUT).body)
        here.accept()
    assert [body for body in bodies if body != "probe"] == ["from far", "from here"], bodies
    maker.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
