"""Pipelined sending and receiving: many messages in flight, as real programs do it."""
from proton import Delivery, Message
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Sender(MessagingHandler):
    def __init__(self, url, address, count, durable=True, pad=b""):
        super().__init__()
        self.url, self.address, self.count, self.durable, self.pad = url, address, count, durable, pad
        self.sent = self.accepted = 0
        self.refused = []

    def on_start(self, event):
        connection = event.container.connect(self.url, reconnect=False)
        event.container.create_sender(connection, self.address)

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.count:
            event.sender.send(Message(id=self.sent, body=self.sent, durable=self.durable,
                                      properties={"pad": self.pad}))
            self.sent += 1

    def on_accepted(self, event):
        self.accepted += 1
        if self.accepted == self.count:
            event.connection.close()

    def on_rejected(self, event):
        self.refused.append(event.delivery.remote.condition)
        event.connection.close()

    def on_transport_error(self, event):
        self.refused.append(event.transport.condition)


class Receiver(MessagingHandler):
    def __init__(self, url, address, count, window=500):
        super().__init__(prefetch=window)
        self.url, self.address, self.count = url, address, count
        self.bodies = []

    def on_start(self, event):
        connection = event.container.connect(self.url, reconnect=False)
        event.container.create_receiver(connection, self.address)

    def on_message(self, event):
        self.bodies.append(event.message.body)
        if len(self.bodies) == self.count:
            self.accept(event.delivery)
            event.connection.close()


def send_pipelined(url, address, count, **options):
    handler = Sender(url, address, count, **options)
    Container(handler).run()
    assert not handler.refused and handler.accepted == count, f"{handler.accepted} accepted, {handler.refused}"


def receive_pipelined(url, address, count):
    handler = Receiver(url, address, count)
    Container(handler).run()
    return handler.bodies
