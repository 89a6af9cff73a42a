"""usage: one_store.py URL ROLE ARGUMENT...; works until the server goes, prints what the server has confirmed.

work QUEUE DONE LOG COUNT: takes from a queue; in one transaction each, sends to a queue and to a stream, and accepts
drain QUEUE COUNT:         accepts what is there until nothing more comes; prints the bodies
"""
import sys

from proton import ConnectionException, Message
from proton.utils import LinkDetached

from common import TIMEOUT, Transactions, connect, drain

GONE = (ConnectionException, LinkDetached, ConnectionRefusedError)


def say(word, body):
    print(word, body, flush=True)


def text(message):
    body = message.body
    return bytes(body).decode() if isinstance(body, (bytes, memoryview)) else body


def work(connection, queue, done, log, count):
    transactions = Transactions(connection)
    receiver = connection.create_receiver(queue, credit=20)
    to_queue, to_stream = connection.create_sender(done), connection.create_sender(log)
    for _ in range(int(count)):
        body = text(receiver.receive(timeout=TIMEOUT))
        identifier = transactions.declare()
        transactions.send(to_queue, identifier, Message(body=body, durable=True))
        transactions.send(to_stream, identifier, Message(body=body.encode(), inferred=True, durable=True))
        transactions.settle(receiver, identifier)
        say("trying", body)
        transactions.commit(identifier)
        say("committed", body)


def take_all(connection, queue, count):
    receiver = connection.create_receiver(queue, credit=0)
    drain(connection, receiver, int(count))
    while receiver.fetcher.has_message:
        message = receiver.receive(timeout=TIMEOUT)
        say("took", text(message))
        receiver.accept()


if __name__ == "__main__":
    url, role, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        link = connect(url)
        {"work": work, "drain": take_all}[role](link, *arguments)
        link.close()
        print("ok", flush=True)
    except GONE as gone:
        print("gone", gone, flush=True)
