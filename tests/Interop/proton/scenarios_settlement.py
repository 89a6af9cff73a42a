"""Settlement modes and outcomes."""
from proton import Delivery, Link, Message, symbol

from common import (EXACTLY_ONCE, PRESETTLED, TIMEOUT, UNSETTLED, abandon, connect, fresh, nothing_comes,
                    queue_is_empty, scenario, send_all, take)


@scenario
def presettled_both_ways(url):
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address, options=[PRESETTLED])
    assert sender.link.remote_snd_settle_mode == Link.SND_SETTLED
    for number in range(50):
        sender.send(Message(body=number))
    receiver = connection.create_receiver(address, credit=50, options=[PRESETTLED])
    assert [receiver.receive().body for _ in range(50)] == list(range(50))
    assert not receiver.fetcher.unsettled, "deliveries should have come settled"
    connection.close()
    connection = connect(url)
    queue_is_empty(connection, address)
    connection.close()


@scenario
def unsettled_both_ways(url):
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address, options=[UNSETTLED])
    for number in range(20):
        delivery = sender.send(Message(body=number, durable=True))
        assert delivery.remote_state == Delivery.ACCEPTED, delivery.remote_state
    assert take(connection.create_receiver(address, credit=20, options=[UNSETTLED]), 20) == list(range(20))
    queue_is_empty(connection, address)
    connection.close()


@scenario
def exactly_once(url):
    """The receiver settles second: it keeps its delivery until the server has settled."""
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(10))
    receiver = connection.create_receiver(address, credit=10, options=[EXACTLY_ONCE])
    assert receiver.link.remote_rcv_settle_mode == Link.RCV_SECOND
    for number in range(10):
        assert receiver.receive().body == number
        delivery = receiver.fetcher.unsettled.popleft()
        delivery.update(Delivery.ACCEPTED)
        connection.wait(lambda: delivery.settled, timeout=TIMEOUT, msg="the server's settlement")
        delivery.settle()
    connection.close()
    connection = connect(url)
    queue_is_empty(connection, address)
    connection.close()


@scenario
def mixed_mode_sender(url):
    """One link, settled and unsettled transfers in turn."""
    address, connection = fresh(), connect(url)
    sender = connection.create_sender(address)
    for number in range(10):
        delivery = sender.link.send(Message(body=number, durable=True))
        if number % 2 == 0:
            delivery.settle()
        else:
            connection.wait(lambda: delivery.settled, timeout=TIMEOUT)
            delivery.settle()
    assert take(connection.create_receiver(address), 10) == list(range(10))
    connection.close()


@scenario
def released_comes_back_in_its_place(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, ["first", "second"])
    receiver = connection.create_receiver(address)
    message = receiver.receive()
    assert message.body == "first"
    receiver.release(delivered=False)
    message = receiver.receive()
    assert message.body == "first" and message.delivery_count == 0, (message.body, message.delivery_count)
    receiver.accept()
    assert take(receiver, 1) == ["second"]
    connection.close()


@scenario
def modified_counts_the_failure(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, ["again"])
    receiver = connection.create_receiver(address)
    for expected in range(3):
        message = receiver.receive()
        assert message.delivery_count == expected, message.delivery_count
        delivery = receiver.fetcher.unsettled.popleft()
        delivery.local.failed = True
        delivery.update(Delivery.MODIFIED)
        delivery.settle()
    assert take(receiver, 1) == ["again"]
    connection.close()


@scenario
def undeliverable_here_goes_to_another(url):
    address, connection, other = fresh(), connect(url), connect(url)
    send_all(connection, address, ["not me"])
    receiver = connection.create_receiver(address)
    receiver.receive()
    delivery = receiver.fetcher.unsettled.popleft()
    delivery.local.failed = True
    delivery.local.undeliverable = True
    delivery.update(Delivery.MODIFIED)
    delivery.settle()
    nothing_comes(connection, receiver)
    assert take(other.create_receiver(address), 1) == ["not me"]
    connection.close()
    other.close()


@scenario
def modified_annotations_are_kept(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, ["noted"])
    receiver = connection.create_receiver(address)
    receiver.receive()
    delivery = receiver.fetcher.unsettled.popleft()
    delivery.local.failed = True
    delivery.local.annotations = {symbol("x-opt-why"): "test"}
    delivery.update(Delivery.MODIFIED)
    delivery.settle()
    message = receiver.receive()
    assert message.annotations and message.annotations.get(symbol("x-opt-why")) == "test", message.annotations
    receiver.accept()
    connection.close()


@scenario
def rejected_does_not_come_back(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, ["bad", "good"])
    receiver = connection.create_receiver(address)
    assert receiver.receive().body == "bad"
    receiver.reject()
    assert take(receiver, 1) == ["good"]
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def rejected_goes_to_the_dead_letters(url, dead_letter_address):
    """The node was configured with a dead-letter address; the copy says where it came from and why."""
    address, connection = fresh("dead"), connect(url)
    send_all(connection, address, ["bad"])
    receiver = connection.create_receiver(address)
    receiver.receive()
    receiver.reject()
    letters = connection.create_receiver(dead_letter_address)
    letter = letters.receive()
    letters.accept()
    assert letter.body == "bad"
    assert address in str(letter.annotations.values()), letter.annotations
    connection.close()


@scenario
def attempts_end_in_the_dead_letters(url, dead_letter_address, attempts_max):
    address, connection = fresh("dead"), connect(url)
    send_all(connection, address, ["hopeless"])
    receiver = connection.create_receiver(address)
    for _ in range(int(attempts_max)):
        assert receiver.receive().body == "hopeless"
        delivery = receiver.fetcher.unsettled.popleft()
        delivery.local.failed = True
        delivery.update(Delivery.MODIFIED)
        delivery.settle()
    nothing_comes(connection, receiver)
    assert take(connection.create_receiver(dead_letter_address), 1) == ["hopeless"]
    connection.close()


@scenario
def unsettled_comes_back_after_the_link_ends(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(5))
    receiver = connection.create_receiver(address, credit=5)
    for _ in range(5):
        receiver.receive()
    receiver.fetcher.settle(Delivery.ACCEPTED)
    receiver.close()
    assert take(connection.create_receiver(address), 4) == [1, 2, 3, 4]
    connection.close()


@scenario
def unsettled_comes_back_after_the_connection_breaks(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(5))

    def take_and_vanish():
        receiver = connect(url).create_receiver(address, credit=5)
        for _ in range(5):
            receiver.receive()

    abandon(take_and_vanish)
    receiver = connection.create_receiver(address)
    assert sorted(take(receiver, 5)) == [0, 1, 2, 3, 4]
    connection.close()


@scenario
def dispositions_in_batches(url):
    """One disposition frame settles a range of deliveries."""
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(100))
    receiver = connection.create_receiver(address, credit=100)
    for _ in range(100):
        receiver.receive()
    for _ in range(100):
        receiver.fetcher.settle(Delivery.ACCEPTED)
    connection.close()
    connection = connect(url)
    queue_is_empty(connection, address)
    connection.close()
