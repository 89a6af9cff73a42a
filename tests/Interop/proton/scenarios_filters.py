"""Selectors, no-local and browsing."""
from proton import Described, Message, symbol
from proton.reactor import Copy, Filter, Selector

from common import (connect, expect_detach, fresh, nothing_comes, queue_is_empty, scenario, send_all, take, TOPIC)


@scenario
def selector_picks(url):
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address)
    for number in range(10):
        sender.send(Message(body=number, durable=True, priority=number % 3, subject=f"s{number}",
                            properties={"colour": "red" if number % 2 else "blue", "size": number}))
    for selector, expected in [
        ("colour = 'red' AND size > 5", [7, 9]),
        ("size BETWEEN 2 AND 3", [2, 3]),
        ("colour LIKE 'b%' AND NOT (size IN (0, 4))", [6, 8]),
        ("size * 2 = 10", [5]),
        ("missing IS NULL AND size < 2", [0, 1]),
        ("JMSPriority >= 0", [4]),
    ]:
        receiver = connection.create_receiver(address, options=[Selector(selector)])
        assert sorted(take(receiver, len(expected))) == sorted(expected), selector
        nothing_comes(connection, receiver)
        receiver.close()
    queue_is_empty(connection, address)
    connection.close()


@scenario
def selector_is_echoed(url):
    address, connection = fresh(), connect(url)
    receiver = connection.create_receiver(address, options=[Selector("a = 1")])
    filters = receiver.link.remote_source.filter
    filters.rewind()
    assert filters.next() is not None and "a = 1" in str(filters.get_object()), "the filter in force is not told"
    connection.close()


@scenario
def broken_selector_is_refused(url):
    """The error ends the link, not the connection."""
    address, connection = fresh(), connect(url)
    for broken in ("colour = ", "AND", "a LIKE 5", "((((", "'open"):
        expect_detach("amqp:invalid-field",
                      lambda: connection.create_receiver(address, options=[Selector(broken)]).receive(timeout=10))
    send_all(connection, address, ["alive"])
    assert take(connection.create_receiver(address), 1) == ["alive"]
    connection.close()


@scenario
def selector_on_a_subscription(url):
    address, connection = fresh("news"), connect(url)
    receiver = connection.create_receiver(address, options=[TOPIC, Selector("kind = 'good'")])
    sender = connection.create_sender(address, options=[TOPIC])
    for kind in ("bad", "good", "bad", "good"):
        sender.send(Message(body=kind, properties={"kind": kind}))
    assert take(receiver, 2) == ["good", "good"]
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def no_local(url):
    """A subscription with the no-local filter does not see what its own connection sends."""
    address, connection, other = fresh("news"), connect(url, "me"), connect(url, "you")
    no_local_filter = Filter({symbol("no-local"): Described(symbol("apache.org:no-local-filter:list"), [])})
    receiver = connection.create_receiver(address, options=[TOPIC, no_local_filter])
    connection.create_sender(address, options=[TOPIC]).send(Message(body="mine"))
    other.create_sender(address, options=[TOPIC]).send(Message(body="yours"))
    assert take(receiver, 1) == ["yours"]
    nothing_comes(connection, receiver)
    connection.close()
    other.close()


@scenario
def browsing_leaves_everything(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(20))
    for _ in range(2):
        browser = connection.create_receiver(address, options=[Copy()])
        assert [browser.receive().body for _ in range(20)] == list(range(20))
        nothing_comes(connection, browser)
        browser.close()
    assert take(connection.create_receiver(address), 20) == list(range(20))
    queue_is_empty(connection, address)
    connection.close()


@scenario
def browsing_with_a_selector(url):
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address)
    for number in range(10):
        sender.send(Message(body=number, durable=True, properties={"n": number}))
    browser = connection.create_receiver(address, options=[Copy(), Selector("n >= 7")])
    assert [browser.receive().body for _ in range(3)] == [7, 8, 9]
    nothing_comes(connection, browser)
    connection.close()
