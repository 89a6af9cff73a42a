"""Dynamic nodes, the anonymous relay, capabilities of the connection, names and errors."""
from proton import ConnectionException, Endpoint, LinkException, Message, symbol
from proton.reactor import DurableSubscription
from proton.utils import LinkDetached

from common import (TIMEOUT, TOPIC, connect, expect_detach, fresh, nothing_comes, scenario, send_all, take)


@scenario
def dynamic_source_and_relay(url):
    """Request and response: a dynamic queue for the answer, the anonymous relay to send it."""
    address, server, client = fresh(), connect(url), connect(url)
    answers = client.create_receiver(None, dynamic=True)
    reply_to = answers.link.remote_source.address
    assert reply_to, "a dynamic source has no name"
    client.create_sender(address).send(Message(body="question", reply_to=reply_to, correlation_id="c"))
    requests = server.create_receiver(address)
    question = requests.receive()
    requests.accept()
    relay = server.create_sender(None)
    relay.send(Message(address=question.reply_to, correlation_id=question.correlation_id, body="answer"))
    answer = answers.receive()
    answers.accept()
    assert (answer.body, answer.correlation_id) == ("answer", "c")
    server.close()
    client.close()


@scenario
def dynamic_queue_ends_with_its_connection(url):
    client, other = connect(url), connect(url)
    name = client.create_receiver(None, dynamic=True).link.remote_source.address
    client.close()
    client = connect(url)
    receiver = client.create_receiver(None, dynamic=True)
    assert receiver.link.remote_source.address != name
    client.close()
    other.close()


@scenario
def relay_without_an_address_is_refused(url):
    connection = connect(url)
    relay = connection.create_sender(None)
    delivery = relay.link.send(Message(body="to nobody"))
    try:
        connection.wait(lambda: delivery.remote_state or delivery.settled, timeout=TIMEOUT)
        assert delivery.remote_state == delivery.REJECTED, delivery.remote_state
    except LinkDetached:
        pass
    connection.close()


@scenario
def open_tells_what_there_is(url):
    connection = connect(url)
    offered = str(connection.conn.remote_offered_capabilities)
    for capability in ("ANONYMOUS-RELAY", "SHARED-SUBS", "sole-connection-for-container"):
        assert capability in offered, offered
    properties = connection.conn.remote_properties
    assert "illar" in str(properties.get(symbol("product"))) and properties.get(symbol("version")), properties
    connection.close()


@scenario
def sole_connection_for_a_container(url):
    client = fresh("client")
    first = connect(url, client, desired_capabilities=symbol("sole-connection-for-container"))
    try:
        second = connect(url, client, desired_capabilities=symbol("sole-connection-for-container"))
        second.create_sender(fresh())
    except ConnectionException as error:
        assert "amqp:invalid-field" in str(error), error
    else:
        raise AssertionError("a second connection with the same container id was let in")
    send_all(first, fresh(), ["first lives"])
    first.close()


@scenario
def link_is_stolen_by_its_name(url):
    """The same link name again, on another session of the connection: the newer one has it."""
    address, connection = fresh(), connect(url)
    loser = connection.create_receiver(address, name="one")
    session = connection.conn.session()
    session.open()
    winner = session.receiver("one")
    winner.source.address = address
    winner.open()
    try:
        connection.wait(lambda: loser.link.remote_condition, timeout=TIMEOUT)
    except LinkDetached as detached:
        assert detached.condition == "amqp:link:stolen", detached
    assert loser.link.remote_condition.name == "amqp:link:stolen"
    connection.wait(lambda: winner.state & Endpoint.REMOTE_ACTIVE, timeout=TIMEOUT, msg="the newer link")
    connection.close()


@scenario
def durable_subscription_is_taken_over(url):
    """A container that comes back before the server knows that it was gone has its subscription at once."""
    address, client = fresh("topic"), fresh("client")
    options = [TOPIC, DurableSubscription()]
    first, second = connect(url, client), connect(url, client)
    loser = first.create_receiver(address, name="sub", options=options)
    winner = second.create_receiver(address, name="sub", options=options)
    try:
        first.wait(lambda: loser.link.remote_condition, timeout=TIMEOUT)
    except LinkDetached as detached:
        assert detached.condition == "amqp:link:stolen", detached
    sender = second.create_sender(address, options=[TOPIC])
    sender.send(Message(body="mine", durable=True))
    assert take(winner, 1) == ["mine"]
    winner.close()
    second.close()


@scenario
def bad_names_are_refused(url):
    """The link ends with an error; the connection lives on."""
    connection = connect(url)
    for name in ("with\x01control", "line\nbreak", "x" * 5000, "a::b::c", ""):
        try:
            sender = connection.create_sender(name) if name else connection.create_receiver("", credit=1)
            if name:
                sender.send(Message(body="no"), timeout=10)
            raise AssertionError(f"{name[:20]!r} was taken")
        except (LinkDetached, LinkException) as error:
            assert "amqp:" in str(error) or "match" in str(error), error
    address = fresh()
    send_all(connection, address, ["alive"])
    assert take(connection.create_receiver(address), 1) == ["alive"]
    connection.close()


@scenario
def unicode_names(url):
    address, connection = fresh("заказы.注文"), connect(url)
    send_all(connection, address, ["ünïcödé"])
    assert take(connection.create_receiver(address), 1) == ["ünïcödé"]
    connection.close()


@scenario
def queue_and_topic_do_not_mix(url):
    """An address that is a queue refuses a topic subscription by name of capability, or serves both: never in between."""
    address, connection = fresh(), connect(url)
    send_all(connection, address, ["in the queue"])
    try:
        subscriber = connection.create_receiver(address, name="t", options=[TOPIC])
        nothing_comes(connection, subscriber)
    except LinkDetached as detached:
        assert detached.condition in ("amqp:illegal-state", "amqp:not-allowed", "amqp:precondition-failed"), detached
    assert take(connection.create_receiver(address), 1) == ["in the queue"]
    connection.close()
