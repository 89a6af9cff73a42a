"""Scenarios over a line of nodes: line.py SCENARIO URL-OF-EACH-NODE. Nothing is configured on the nodes but who they
are and whom they connect to."""
import sys
import threading
import time
import uuid

from proton import Condition, Delivery, Message, Timeout
from proton.handlers import MessagingHandler
from proton.reactor import AtMostOnce, Container
from proton.utils import BlockingConnection

TIMEOUT = 60


def fresh(prefix):
    return f"{prefix}.{uuid.uuid4().hex[:12]}"


class Sender(MessagingHandler):
    """Sends all, as fast as credit allows; keeps what the receiver said of each."""

    def __init__(self, url, address, bodies, settled=False, again=False):
        super().__init__(auto_settle=False)
        self.url, self.address, self.bodies, self.settled, self.again = url, address, bodies, settled, again
        self.due, self.outcomes, self.failure = list(range(len(bodies))), {}, None

    def on_start(self, event):
        self.connection = event.container.connect(self.url)
        options = AtMostOnce() if self.settled else None
        event.container.create_sender(self.connection, self.address, options=options)

    def on_sendable(self, event):
        while event.sender.credit and self.due:
            number = self.due.pop(0)
            event.sender.send(Message(body=self.bodies[number]), tag=f"{number}")
        if self.settled and not self.due:
            self.connection.close()

    def on_delivery(self, event):
        delivery = event.delivery
        if event.sender and delivery.updated and delivery.remote_state:
            state = delivery.remote
            if self.again and delivery.remote_state in (Delivery.RELEASED, Delivery.MODIFIED):
                self.due.append(int(delivery.tag))
                delivery.settle()
                self.on_sendable(event)
                return
            self.outcomes[int(delivery.tag)] = (
                str(delivery.remote_state), state.condition and (state.condition.name, state.condition.description),
                state.failed, state.undeliverable, state.annotations)
            delivery.settle()
            if len(self.outcomes) == len(self.bodies):
                self.connection.close()

    def on_transport_error(self, event):
        self.failure = event.transport.condition

    def on_link_error(self, event):
        self.failure = event.link.remote_condition
        self.connection.close()

    def run(self):
        Container(self).run()
        assert not self.failure, self.failure


class Receiver(MessagingHandler):
    """Answers each message as it is told, until it has so many."""

    def __init__(self, url, address, count, answer, credit=10):
        super().__init__(auto_accept=False, prefetch=credit)
        self.url, self.address, self.count, self.answer = url, address, count, answer
        self.bodies, self.ready, self.failure = [], threading.Event(), None

    def on_start(self, event):
        self.connection = event.container.connect(self.url)
        event.container.create_receiver(self.connection, self.address)

    def on_link_opened(self, event):
        self.ready.set()

    def on_message(self, event):
        annotations = event.message.annotations or {}
        if any("x-opt-qd" in str(key) for key in annotations):
            self.failure = annotations
        self.answer(len(self.bodies), event.delivery)
        self.bodies.append(event.message.body)
        if len(self.bodies) == self.count:
            self.connection.close()


def deliver(sender, url, address, answer):
    """Lets a sender and a receiver run, each at its node."""
    receiver = Receiver(url, address, len(sender.bodies), answer)
    threads = [threading.Thread(target=Container(receiver).run), threading.Thread(target=sender.run)]
    threads[0].start()
    assert receiver.ready.wait(TIMEOUT)
    threads[1].start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert not receiver.failure, receiver.failure
    if sender.again:
        receiver.bodies.sort(key=sender.bodies.index)
    assert receiver.bodies == sender.bodies, f"{len(receiver.bodies)} of {len(sender.bodies)} came"
    assert len(sender.outcomes) == len(sender.bodies), f"{len(sender.outcomes)} outcomes"


def settle(delivery, state):
    delivery.update(state)
    delivery.settle()


def accept(_, delivery):
    settle(delivery, Delivery.ACCEPTED)


def outcomes(first, last, *_):
    """The producer hears what the consumer says, with all that is in it."""
    def answer(number, delivery):
        kind = number % 4
        if kind == 1:
            delivery.local.condition = Condition("x:bad", "not like this")
        elif kind == 3:
            delivery.local.failed = True
            delivery.local.undeliverable = True
            delivery.local.annotations = {"x-opt-why": "later"}
        settle(delivery, [Delivery.ACCEPTED, Delivery.REJECTED, Delivery.RELEASED, Delivery.MODIFIED][kind])

    address = fresh("outcomes")
    sender = Sender(last, address, [f"m{i}" for i in range(400)])
    deliver(sender, first, address, answer)
    for number, (state, condition, failed, undeliverable, annotations) in sender.outcomes.items():
        kind = number % 4
        assert state == ["ACCEPTED", "REJECTED", "RELEASED", "MODIFIED"][kind], (number, state)
        if kind == 1:
            assert condition == ("x:bad", "not like this"), condition
        if kind == 3:
            assert failed and undeliverable and annotations == {"x-opt-why": "later"}, annotations


def settled(first, last, *_):
    """What is settled as it is sent is never lost, however slow the consumer."""
    connection = BlockingConnection(first, timeout=TIMEOUT)
    address = fresh("settled")
    receiver = connection.create_receiver(address, credit=5)
    sender = Sender(last, address, list(range(3000)), settled=True)
    thread = threading.Thread(target=sender.run)
    thread.start()
    for number in range(3000):
        assert receiver.receive(timeout=TIMEOUT).body == number
        assert not receiver.fetcher.unsettled, "it came unsettled"
    thread.join(TIMEOUT)
    connection.close()


def large(first, last, *_):
    """A message far larger than what a node holds of it."""
    address = fresh("large")
    deliver(Sender(last, address, [bytes(range(256)) * (4096 * 20), b"after"]), first, address, accept)


def slow_large(first, last, *_):
    """A message that takes seconds over a slow line, and one behind it."""
    address = fresh("slow")
    deliver(Sender(last, address, [bytes(range(256)) * (4096 * 3), b"after"]), first, address, accept)


class Answerer(MessagingHandler):
    def __init__(self, url, address, ready):
        super().__init__()
        self.url, self.address, self.ready = url, address, ready

    def on_start(self, event):
        self.connection = event.container.connect(self.url)
        self.receiver = event.container.create_receiver(self.connection, self.address)
        self.sender = event.container.create_sender(self.connection, None)

    def on_link_opened(self, event):
        self.ready.set()

    def on_message(self, event):
        if event.message.body == "stop":
            self.connection.close()
            return
        self.sender.send(Message(
            address=event.message.reply_to, correlation_id=event.message.id, body=event.message.body.upper()))


def request_response(first, last, *_):
    """Requests from one end, answers to an address that its node has made."""
    address, ready = fresh("service"), threading.Event()
    thread = threading.Thread(target=Container(Answerer(first, address, ready)).run)
    thread.start()
    assert ready.wait(TIMEOUT)
    connection = BlockingConnection(last, timeout=TIMEOUT)
    replies = connection.create_receiver(None, dynamic=True, credit=10)
    reply_to = replies.link.remote_source.address
    assert reply_to.startswith(("amqp:/_topo/0/", "amqp:/_edge/")), reply_to
    requests = connection.create_sender(address)
    for number in range(200):
        requests.send(Message(id=number, reply_to=reply_to, body=f"question {number}"))
        answer = replies.receive(timeout=TIMEOUT)
        replies.accept()
        assert (answer.correlation_id, answer.body) == (number, f"QUESTION {number}"), answer
    requests.send(Message(body="stop"))
    thread.join(TIMEOUT)
    connection.close()


def multicast(*urls):
    """Every consumer on every node gets each message once."""
    address = fresh("all")
    receivers = [Receiver(url, address, sys.maxsize, accept) for url in urls for _ in range(2)]
    for receiver in receivers:
        threading.Thread(target=Container(receiver).run, daemon=True).start()
        assert receiver.ready.wait(TIMEOUT)
    # Word of the consumers spreads: until then a message goes to those that are known.
    end = time.monotonic() + TIMEOUT
    while not all(receiver.bodies for receiver in receivers):
        assert time.monotonic() < end, [len(receiver.bodies) for receiver in receivers]
        Sender(urls[-1], address, ["probe"], again=True).run()
    sender = Sender(urls[-1], address, list(range(50)))
    sender.run()
    assert {outcome[0] for outcome in sender.outcomes.values()} == {"ACCEPTED"}
    for receiver in receivers:
        assert [body for body in receiver.bodies if body != "probe"] == sender.bodies, receiver.bodies


def all_routers(*urls):
    """What is sent to every router comes to the consumers of its local address at each, once."""
    name = fresh("every")
    receivers = [Receiver(url, f"amqp:/_local/{name}", sys.maxsize, accept) for url in urls]
    for receiver in receivers:
        threading.Thread(target=Container(receiver).run, daemon=True).start()
        assert receiver.ready.wait(TIMEOUT)
    sender = Sender(urls[-1], f"amqp:/_topo/0/all/{name}", list(range(50)))
    sender.run()
    assert {outcome[0] for outcome in sender.outcomes.values()} == {"ACCEPTED"}
    for receiver in receivers:
        assert receiver.bodies == sender.bodies, receiver.bodies


def moves(first, last, *more):
    """A consumer that goes from node to node goes on receiving; what met nobody is released, and sent again."""
    address = fresh("mover")
    for url in [first, *more, last]:
        deliver(Sender(last, address, [f"{url} {i}" for i in range(20)], again=True), url, address, accept)


def reroute(first, last):
    """Says "half" in the middle, when somebody takes away the way that the messages go. All that the sender has heard
    to be accepted has come."""
    address = fresh("reroute")
    receiver = Receiver(first, address, sys.maxsize, accept, credit=100)
    threading.Thread(target=Container(receiver).run, daemon=True).start()
    assert receiver.ready.wait(TIMEOUT)
    sender = Sender(last, address, list(range(4000)), again=True)
    thread = threading.Thread(target=sender.run, daemon=True)
    thread.start()
    while len(sender.outcomes) < 2000:
        thread.join(0.01)
    print("half", flush=True)
    thread.join(TIMEOUT)
    assert not thread.is_alive(), f"{len(sender.outcomes)} outcomes"
    assert set(receiver.bodies) == set(sender.bodies)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
