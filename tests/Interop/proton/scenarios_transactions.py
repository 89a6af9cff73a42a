"""Local transactions: all or nothing over several queues."""
from proton import Delivery, Message

from common import (Transactions, connect, fresh, nothing_comes, queue_is_empty, scenario, send_all, take)


@scenario
def committed_sends_appear_together(url):
    one, two, connection, other = fresh(), fresh(), connect(url), connect(url)
    transactions = Transactions(connection)
    senders = [connection.create_sender(one), connection.create_sender(two)]
    receivers = [other.create_receiver(one), other.create_receiver(two)]
    transaction = transactions.declare()
    for number in range(6):
        transactions.send(senders[number % 2], transaction, Message(body=number, durable=True))
    for receiver in receivers:
        nothing_comes(other, receiver)
    transactions.commit(transaction)
    assert take(receivers[0], 3) == [0, 2, 4] and take(receivers[1], 3) == [1, 3, 5]
    connection.close()
    other.close()


@scenario
def rolled_back_sends_never_appear(url):
    address, connection = fresh(), connect(url)
    transactions, sender = Transactions(connection), connection.create_sender(address)
    transaction = transactions.declare()
    for number in range(5):
        transactions.send(sender, transaction, Message(body=number, durable=True))
    transactions.rollback(transaction)
    queue_is_empty(connection, address)
    connection.close()


@scenario
def committed_settlement_is_final(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(4))
    transactions, receiver = Transactions(connection), connection.create_receiver(address)
    transaction = transactions.declare()
    for _ in range(4):
        receiver.receive()
        transactions.settle(receiver, transaction)
    transactions.commit(transaction)
    connection.close()
    connection = connect(url)
    queue_is_empty(connection, address)
    connection.close()


@scenario
def rolled_back_settlement_comes_again(url):
    address, connection = fresh(), connect(url)
    send_all(connection, address, range(3))
    transactions, receiver = Transactions(connection), connection.create_receiver(address)
    transaction = transactions.declare()
    for _ in range(3):
        receiver.receive()
        transactions.settle(receiver, transaction)
    transactions.rollback(transaction)
    receiver.close()
    assert sorted(take(connection.create_receiver(address), 3)) == [0, 1, 2]
    connection.close()


@scenario
def move_from_queue_to_queue(url):
    """Take from one queue and put into another: one commit for both."""
    source, target, connection = fresh(), fresh(), connect(url)
    send_all(connection, source, range(10))
    transactions = Transactions(connection)
    receiver, sender = connection.create_receiver(source), connection.create_sender(target)
    for number in range(10):
        transaction = transactions.declare()
        message = receiver.receive()
        transactions.settle(receiver, transaction)
        transactions.send(sender, transaction, Message(body=message.body, durable=True))
        if number % 2 == 0:
            transactions.commit(transaction)
        else:
            transactions.rollback(transaction)
    receiver.close()
    moved = take(connection.create_receiver(target), 5)
    left = take(connection.create_receiver(source), 5)
    assert sorted(moved + left) == list(range(10)), (moved, left)
    queue_is_empty(connection, source)
    connection.close()


@scenario
def several_transactions_at_once(url):
    """Two open transactions on one session do not mix."""
    address, connection = fresh(), connect(url)
    transactions, sender = Transactions(connection), connection.create_sender(address)
    first, second = transactions.declare(), transactions.declare()
    assert first != second
    transactions.send(sender, first, Message(body="first", durable=True))
    transactions.send(sender, second, Message(body="second", durable=True))
    transactions.rollback(first)
    transactions.commit(second)
    receiver = connection.create_receiver(address)
    assert take(receiver, 1) == ["second"]
    nothing_comes(connection, receiver)
    connection.close()


@scenario
def closing_the_coordinator_rolls_back(url):
    address, connection = fresh(), connect(url)
    transactions, sender = Transactions(connection), connection.create_sender(address)
    transaction = transactions.declare()
    transactions.send(sender, transaction, Message(body="never", durable=True))
    transactions.sender.close()
    queue_is_empty(connection, address)
    connection.close()


@scenario
def unknown_transaction_is_refused(url):
    connection = connect(url)
    transactions = Transactions(connection)
    state = None
    try:
        state = transactions.discharge(b"no such transaction", False)
    except Exception as error:  # the server may end the link instead
        assert "transaction:unknown-id" in str(error), error
    assert state in (None, Delivery.REJECTED), state
    connection.close()
