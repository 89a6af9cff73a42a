"""Scenarios over nodes that lead to another broker: containers.py SCENARIO ADDRESS URL-OF-BROKER URLS-OF-NODES..."""
import sys
import time

from proton import Delivery, Message
from proton.reactor import Container
from proton.utils import BlockingConnection, LinkDetached

from line import TIMEOUT, Receiver, Sender, accept, fresh, settle
from manage import Agent


def wait_in_the_broker(address, broker, near, far):
    """Messages travel to the broker and wait there, whoever accepts them first; consumers of the network draw them."""
    sender = Sender(far, address, list(range(500)), again=True)
    sender.run()
    assert all(outcome[0] == "ACCEPTED" for outcome in sender.outcomes.values())
    receiver = Receiver(near, address, 500, accept)
    Container(receiver).run()
    assert receiver.bodies == list(range(500)), receiver.bodies[:5]
    sender = Sender(near, address, ["back"], again=True)
    sender.run()
    receiver = Receiver(far, address, 1, accept)
    Container(receiver).run()
    assert receiver.bodies == ["back"], receiver.bodies


def outcomes_reach_the_broker(address, broker, near, far):
    """What a consumer of the network releases comes again, and what it rejects is gone."""
    Sender(far, address, list(range(10)), again=True).run()

    def answer(number, delivery):
        settle(delivery, [Delivery.RELEASED, Delivery.REJECTED][number] if number < 2 else Delivery.ACCEPTED)

    receiver = Receiver(far, address, 11, answer)
    Container(receiver).run()
    assert sorted(receiver.bodies) == sorted([receiver.bodies[0], *range(10)]), receiver.bodies
    connection = BlockingConnection(near, timeout=TIMEOUT)
    sender = connection.create_sender(address)
    sender.send(Message(body="last"))
    receiver = connection.create_receiver(address, credit=1)
    assert receiver.receive(timeout=TIMEOUT).body == "last"
    receiver.accept()
    connection.close()


def through(address, broker, near, far, prefix="q"):
    """What is sent on a link that goes through is in the broker, and the other way round."""
    known(near, far, prefix=prefix)
    through_edge(address, broker, near, far)


def through_edge(address, broker, near, far):
    """The same, at a node that need not know it itself."""
    for first, second in ((far, broker), (broker, far)):
        connection = BlockingConnection(first, timeout=TIMEOUT)
        sender = connection.create_sender(address, name=fresh("link"))
        for number in range(100):
            sender.send(Message(body=number, durable=True))
        connection.close()
        connection = BlockingConnection(second, timeout=TIMEOUT)
        receiver = connection.create_receiver(address, name=fresh("link"), credit=100)
        assert [take(receiver) for _ in range(100)] == list(range(100))
        connection.close()


def once(address, node):
    """A message goes by way of the broker, and comes back."""
    body = fresh("body")
    Sender(node, address, [body], again=True).run()
    receiver = Receiver(node, address, 1, accept)
    Container(receiver).run()
    assert receiver.bodies == [body], receiver.bodies


def take(receiver):
    body = receiver.receive(timeout=TIMEOUT).body
    receiver.accept()
    return body


def known(*urls, prefix="q"):
    """Waits until the nodes know that links to addresses that begin with it go through."""
    for agent in [Agent(url) for url in urls]:
        while not [row for row in agent.query("router.address", "key", "distribution")
                   if row == {"key": f"D{prefix}", "distribution": "linkBalanced"}]:
            time.sleep(0.05)
        agent.close()


def no_route(address, broker, near, far):
    """Nobody who could take the link is connected: it is refused, and says so."""
    connection = BlockingConnection(near, timeout=TIMEOUT)
    try:
        connection.create_sender(address)
    except LinkDetached as refused:
        assert "no-route-to-dest" in str(refused), refused
    else:
        raise AssertionError("the link was attached")
    connection.close()


def lost(address, broker, near, far):
    """Says when the link is there, and then what ends it."""
    known(near, far)
    connection = BlockingConnection(far, timeout=TIMEOUT)
    sender = connection.create_sender(address)
    sender.send(Message(body="there"))
    print("there", flush=True)
    try:
        connection.wait(lambda: False, timeout=TIMEOUT)
    except LinkDetached as ended:
        assert "routed-link-lost" in str(ended), ended
    connection.close()


def shown(address, broker, near, far):
    """The router's agent tells what is configured, and its state; another router knows where the links go."""
    rows = Agent(near).query("router.config.autoLink", "address", "direction", "phase", "operStatus", "linkRef",
                             "lastError", "connection")
    rows = [row for row in rows if row["address"] == address]
    assert sorted((row["direction"], row["phase"]) for row in rows) == [("in", 1), ("out", 0)], rows
    assert all(row["operStatus"] == "active" and row["linkRef"] and not row["lastError"] for row in rows), rows
    links = {link["identity"] for link in Agent(near).query("router.link", "identity")}
    assert all(row["linkRef"] in links for row in rows), (rows, links)
    rows = Agent(near).query("router.config.linkRoute", "prefix", "direction", "operStatus", "distribution")
    assert all(row["operStatus"] == "active" and row["distribution"] == "linkBalanced" for row in rows), rows
    assert ("q", "in") in [(row["prefix"], row["direction"]) for row in rows], rows


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
