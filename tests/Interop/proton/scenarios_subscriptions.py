"""Topics: volatile, durable, shared and global subscriptions; wildcards; one queue by its full name."""
from proton import Message, Terminus
from proton.reactor import DurableSubscription

from common import (Expiry, SHARED, SHARED_GLOBAL, TOPIC, abandon, connect, fresh, nothing_comes, queue_is_empty, scenario,
                    send_all, take)


def publish(connection, address, bodies):
    sender = connection.create_sender(address, options=[TOPIC])
    for body in bodies:
        sender.send(Message(body=body, durable=True))
    sender.close()


@scenario
def every_subscriber_gets_a_copy(url):
    address, connection = fresh("topic"), connect(url)
    receivers = [connection.create_receiver(address, name=f"s{n}", options=[TOPIC]) for n in range(5)]
    publish(connection, address, range(10))
    for receiver in receivers:
        assert take(receiver, 10) == list(range(10))
    connection.close()


@scenario
def volatile_subscription_sees_only_what_comes_after(url):
    address, connection = fresh("topic"), connect(url)
    publish(connection, address, ["before"])
    receiver = connection.create_receiver(address, options=[TOPIC])
    publish(connection, address, ["after"])
    assert take(receiver, 1) == ["after"]
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def durable_subscription_waits(url):
    address, client = fresh("topic"), fresh("client")
    connection = connect(url, client)
    receiver = connection.create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])
    receiver.link.detach()
    connection.conn.close()
    connection.close()
    other = connect(url)
    publish(other, address, ["one", "two"])
    other.close()
    connection = connect(url, client)
    receiver = connection.create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])
    assert take(receiver, 2) == ["one", "two"]
    receiver.close()  # a close, not a detach, ends the subscription
    publish(connection, address, ["three"])
    receiver = connection.create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])
    nothing_comes(connection, receiver)
    receiver.close()
    connection.close()


@scenario
def durable_subscription_survives_a_broken_connection(url):
    address, client = fresh("topic"), fresh("client")

    def subscribe_and_vanish():
        connect(url, client).create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])

    abandon(subscribe_and_vanish)
    other = connect(url)
    publish(other, address, ["kept"])
    other.close()
    connection = connect(url, client)
    receiver = connection.create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])
    assert take(receiver, 1) == ["kept"]
    receiver.close()
    connection.close()


@scenario
def expiry_policy_ends_a_subscription(url):
    """Durable, but to expire with its link: after a detach nothing is kept."""
    address, client = fresh("topic"), fresh("client")
    connection = connect(url, client)
    options = [TOPIC, Expiry(Terminus.CONFIGURATION, Terminus.EXPIRE_WITH_LINK)]
    receiver = connection.create_receiver(address, name="sub", options=options)
    receiver.link.detach()
    publish(connection, address, ["lost"])
    connection.close()
    connection = connect(url, client)
    receiver = connection.create_receiver(address, name="sub", options=options)
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def shared_subscription_divides(url):
    """Two links of one container share a subscription: each message goes to one of them."""
    address, connection = fresh("topic"), connect(url, fresh("client"))
    one = connection.create_receiver(address, credit=50, name="work|1", options=[SHARED])
    two = connection.create_receiver(address, credit=50, name="work|2", options=[SHARED])
    publish(connection, address, range(40))
    connection.wait(lambda: len(one.fetcher.incoming) + len(two.fetcher.incoming) == 40, timeout=30)
    bodies = [message.body for message, _ in list(one.fetcher.incoming) + list(two.fetcher.incoming)]
    assert sorted(bodies) == list(range(40))
    assert one.fetcher.incoming and two.fetcher.incoming, "one of two had all"
    connection.close()


@scenario
def shared_global_subscription_spans_containers(url):
    address = fresh("topic")
    first, second = connect(url, fresh("client")), connect(url, fresh("client"))
    name = fresh("work")
    one = first.create_receiver(address, credit=5, name=name + "|1", options=[SHARED_GLOBAL])
    two = second.create_receiver(address, credit=5, name=name + "|2", options=[SHARED_GLOBAL])
    publish(first, address, range(10))
    assert sorted(take(one, 5) + take(two, 5)) == list(range(10))
    first.close()
    second.close()


@scenario
def shared_durable_subscription_waits(url):
    address, client = fresh("topic"), fresh("client")
    connection = connect(url, client)
    receiver = connection.create_receiver(address, name="work", options=[SHARED, DurableSubscription()])
    receiver.link.detach()
    publish(connection, address, range(4))
    connection.close()
    connection = connect(url, client)
    one = connection.create_receiver(address, name="work", options=[SHARED, DurableSubscription()])
    assert take(one, 4) == list(range(4))
    one.close()
    connection.close()


@scenario
def wildcards_subscribe_to_many(url):
    root, connection = fresh("w"), connect(url)
    deep = connection.create_receiver(root + ".#", name="deep", options=[TOPIC])
    flat = connection.create_receiver(root + ".*", name="flat", options=[TOPIC])
    for suffix in ("a", "b.c", "d"):
        publish(connection, f"{root}.{suffix}", [suffix])
    assert take(deep, 3) == ["a", "b.c", "d"]
    assert take(flat, 2) == ["a", "d"]
    nothing_comes(connection, flat)
    connection.close()


@scenario
def queue_by_its_full_name(url):
    """address::queue names one queue of an address."""
    address, client = fresh("topic"), fresh("client")
    connection = connect(url, client)
    subscription = connection.create_receiver(address, name="sub", options=[TOPIC, DurableSubscription()])
    subscription.link.detach()
    publish(connection, address, ["by name"])
    assert take(connection.create_receiver(f"{address}::{client}.sub"), 1) == ["by name"]
    connection.close()


@scenario
def queues_divide_and_topics_copy(url):
    """Without a capability an address is a queue: two receivers share its messages."""
    address, connection = fresh(), connect(url)
    one, two = (connection.create_receiver(address, credit=5) for _ in range(2))
    send_all(connection, address, range(10))
    assert sorted(take(one, 5) + take(two, 5)) == list(range(10))
    queue_is_empty(connection, address)
    connection.close()
