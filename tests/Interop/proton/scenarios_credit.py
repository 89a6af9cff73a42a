"""Credit, drain, flow, heartbeats and windows."""
import os
import time

from proton import Message

from common import TIMEOUT, connect, drain, fresh, nothing_comes, scenario, send_all, take


@scenario
def drain_gives_back_what_is_not_used(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(3))
    receiver = connection.create_receiver(address)
    drain(connection, receiver, 10)
    assert [m.body for m, _ in receiver.fetcher.incoming] == [0, 1, 2]
    assert receiver.link.credit == 0, receiver.link.credit
    send_all(connection, address, [3])
    assert len(receiver.fetcher.incoming) == 3, "a message came without credit"
    for _ in range(3):
        receiver.receive()
        receiver.accept()
    assert take(receiver, 1) == [3]
    connection.close()


@scenario
def drain_of_an_empty_queue(url):
    address, connection = fresh(), connect(url)
    receiver = connection.create_receiver(address)
    for _ in range(5):
        drain(connection, receiver, 100)
        assert receiver.link.credit == 0 and not receiver.fetcher.has_message
    connection.close()


@scenario
def no_credit_no_message(url):
    """A receiver without credit gets nothing and keeps nothing from others."""
    address, starved, fed = fresh(), connect(url), connect(url)
    idle = starved.create_receiver(address)
    busy = fed.create_receiver(address)
    send_all(fed, address, range(10))
    assert take(busy, 10) == list(range(10))
    assert not idle.fetcher.has_message
    send_all(fed, address, ["late"])
    assert take(idle, 1) == ["late"]
    starved.close()
    fed.close()


@scenario
def credit_by_ones(url):
    """Starvation: one credit at a time, never a message more."""
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(50))
    receiver = connection.create_receiver(address)
    for number in range(50):
        receiver.link.flow(1)
        connection.wait(lambda: receiver.fetcher.has_message, timeout=TIMEOUT)
        assert len(receiver.fetcher.incoming) == 1 and receiver.fetcher.incoming[0][0].body == number
        receiver.receive()
        receiver.accept()
    connection.close()


@scenario
def slow_receiver_does_not_slow_others(url):
    """One connection holds 1,000 messages unread; another's queue flows on."""
    slow_address, fast_address, slow, fast = fresh(), fresh(), connect(url), connect(url)
    stuck = slow.create_receiver(slow_address)
    stuck.link.flow(1000)
    send_all(fast, slow_address, [os.urandom(10_000)] * 200)
    send_all(fast, fast_address, range(200))
    assert take(fast.create_receiver(fast_address, credit=50), 200) == list(range(200))
    assert len(take(stuck, 200)) == 200
    slow.close()
    fast.close()


@scenario
def senders_get_credit_again(url):
    """More messages than one grant of credit holds."""
    from pipeline import receive_pipelined, send_pipelined
    address = fresh()
    send_pipelined(url, address, 20_000, durable=False)
    assert len(receive_pipelined(url, address, 20_000)) == 20_000


@scenario
def heartbeats_keep_an_idle_connection(url):
    address = fresh()
    connection = connect(url, heartbeat=1.0)
    receiver = connection.create_receiver(address)
    end = time.monotonic() + 4
    try:
        connection.wait(lambda: time.monotonic() > end, timeout=4)
    except Exception as error:
        assert "timed out" in str(error).lower(), error
    send_all(connection, address, ["still here"])
    assert take(receiver, 1) == ["still here"]
    connection.close()


@scenario
def many_links_and_sessions(url):
    connection = connect(url)
    addresses = [fresh() for _ in range(100)]
    senders = [connection.create_sender(address) for address in addresses]
    for number, sender in enumerate(senders):
        sender.send(Message(body=number, durable=True))
    for number, address in enumerate(addresses):
        assert take(connection.create_receiver(address), 1) == [number]
    connection.close()


@scenario
def many_connections(url):
    address = fresh()
    connections = [connect(url) for _ in range(50)]
    for number, connection in enumerate(connections):
        connection.create_sender(address).send(Message(body=number, durable=True))
    assert take(connections[0].create_receiver(address, credit=50), 50) == list(range(50))
    nothing_comes(connections[1], connections[1].create_receiver(address))
    for connection in connections:
        connection.close()
