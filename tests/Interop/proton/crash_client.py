"""usage: crash_client.py send|transact|receive|return|collect PORT_FILE STOP_FILE LOG_FILE NAME ADDRESS [ADDRESS]

A client that outlives the server. It reads the server's "host:port" from PORT_FILE before each attempt to connect, works
until STOP_FILE exists, and writes what happened to LOG_FILE, one event a line, in order:

    C            a connection was opened               A n      message n was acknowledged
    R name n     message n of that sender came         G n      group n (GROUP messages) was committed
    F name n     its settlement was acknowledged       E n      n messages were begun in all

Nothing is sent twice: a message in doubt when the connection breaks stays in doubt.
"""
import os
import random
import sys

from proton import Delivery, Link, Message
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container, LinkOption

WINDOW = 200
GROUP = 5


class SettleSecond(LinkOption):
    def apply(self, link):
        link.snd_settle_mode = Link.SND_UNSETTLED
        link.rcv_settle_mode = Link.RCV_SECOND


class Client(MessagingHandler):
    """Connects again and again; the parts below say what to do on a connection."""

    def __init__(self, port_file, stop_file, log_file, name, addresses, **options):
        super().__init__(auto_accept=False, auto_settle=False, **options)
        self.port_file, self.stop_file, self.log_file = port_file, stop_file, log_file
        self.name, self.addresses = name, addresses
        self.log, self.connection, self.begun = [], None, 0

    def on_start(self, event):
        self.container = event.container
        self.attempt()
        self.container.schedule(0.1, self)

    def attempt(self):
        with open(self.port_file) as file:
            address = file.read().strip()
        self.connection = self.container.connect("amqp://" + address, reconnect=False, heartbeat=10)

    def on_timer_task(self, event):
        if os.path.exists(self.stop_file) and self.may_stop():
            if self.connection:
                self.connection.close()
            self.container.stop()
            return
        if self.connection is None:
            self.attempt()
        self.container.schedule(0.1, self)

    def may_stop(self):
        return True

    def on_connection_opened(self, event):
        if event.connection != self.connection:
            event.connection.close()  # an attempt that was given up came through after all
            return
        self.log.append("C")
        self.begin(event.connection)

    def on_disconnected(self, event):
        if event.connection == self.connection:
            self.lost()
            self.connection = None

    def on_transport_error(self, event):
        pass

    def lost(self):
        pass

    def message(self):
        number = self.begun
        self.begun += 1
        return Message(id=number, body=f"{self.name} {number}", durable=True)

    def run(self):
        Container(self).run()
        self.log.append(f"E {self.begun}")
        with open(self.log_file, "w") as file:
            file.write("\n".join(self.log) + "\n")


class Sender(Client):
    def begin(self, connection):
        self.flying = {}
        self.container.create_sender(connection, self.addresses[0])

    def lost(self):
        self.flying = {}

    def on_sendable(self, event):
        self.fill(event.sender)

    def fill(self, sender):
        while sender.credit and len(self.flying) < WINDOW and not os.path.exists(self.stop_file):
            message = self.message()
            self.flying[sender.send(message).tag] = message.id

    def on_accepted(self, event):
        if event.connection != self.connection:
            return
        self.log.append(f"A {self.flying.pop(event.delivery.tag)}")
        event.delivery.settle()
        self.fill(event.sender)

    def may_stop(self):
        return self.connection is not None and not self.flying


class TransactionalSender(Client, TransactionHandler):
    """Groups of GROUP messages over all addresses in turn, one transaction a group."""

    def begin(self, connection):
        self.senders = [self.container.create_sender(connection, address) for address in self.addresses]
        self.busy = False
        self.declare()

    def lost(self):
        self.busy = False

    def declare(self):
        self.busy = self.connection is not None and not os.path.exists(self.stop_file)
        if self.busy:
            self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_declared(self, event):
        self.group = self.begun // GROUP
        for place in range(GROUP):
            event.transaction.send(self.senders[place % len(self.senders)], self.message())
        event.transaction.commit()

    def on_transaction_committed(self, event):
        self.log.append(f"G {self.group}")
        self.declare()

    def on_transaction_aborted(self, event):
        self.declare()

    on_transaction_commit_failed = on_transaction_aborted
    on_transaction_declare_failed = on_transaction_aborted

    def may_stop(self):
        return self.connection is not None and not self.busy


class Receiver(Client):
    """Accepts, and settles only after the server has: then the settlement is acknowledged."""

    def begin(self, connection):
        self.container.create_receiver(connection, self.addresses[0], options=[SettleSecond()])

    def on_message(self, event):
        text = event.message.body
        self.log.append(f"R {text}")
        event.delivery.context = text
        event.delivery.update(Delivery.ACCEPTED)

    def on_settled(self, event):
        if event.delivery.link.is_receiver:
            self.log.append(f"F {event.delivery.context}")
            event.delivery.settle()


class Returner(Receiver):
    """Accepts most, and gives some back: released, modified as failed, or rejected (then they are dead letters)."""

    def on_message(self, event):
        delivery = event.delivery
        self.log.append(f"R {event.message.body}")
        chance = random.random()
        delivery.context = event.message.body if chance > 0.2 else None
        if chance > 0.2:
            delivery.update(Delivery.ACCEPTED)
        elif chance > 0.1:
            delivery.update(Delivery.RELEASED)
        elif chance > 0.05:
            delivery.local.failed = True
            delivery.update(Delivery.MODIFIED)
        else:
            delivery.update(Delivery.REJECTED)

    def on_settled(self, event):
        if event.delivery.link.is_receiver:
            if event.delivery.context:
                self.log.append(f"F {event.delivery.context}")
            event.delivery.settle()


def collect(port_file, log_file, address):
    """Takes what is left, until a drain says that nothing is."""
    from common import connect, drain
    with open(port_file) as file:
        connection = connect("amqp://" + file.read().strip())
    receiver, log = connection.create_receiver(address), ["C"]
    while True:
        drain(connection, receiver, 500)
        if not receiver.fetcher.has_message:
            break
        while receiver.fetcher.has_message:
            text = receiver.receive().body
            log.append(f"R {text}")
            receiver.accept()
    connection.close()
    with open(log_file, "w") as file:
        file.write("\n".join(log) + "\n")


if __name__ == "__main__":
    role, port_file, stop_file, log_file, name, *addresses = sys.argv[1:]
    if role == "collect":
        collect(port_file, log_file, addresses[0])
    elif role in ("receive", "return"):
        part = {"receive": Receiver, "return": Returner}[role]
        part(port_file, stop_file, log_file, name, addresses, prefetch=WINDOW).run()
    else:
        part = {"send": Sender, "transact": TransactionalSender}[role]
        part(port_file, stop_file, log_file, name, addresses).run()
    print("ok", flush=True)
