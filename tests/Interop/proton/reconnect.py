"""usage: reconnect.py HOST PORT

Sends 100 messages, each again until it is accepted, and receives them on the same connection. Prints "half" when half of them
have come, waits for its connection to break, goes on after Proton's own reconnect, prints "ok" when all have come.
"""
import sys

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

COUNT = 100


class Client(MessagingHandler):
    def __init__(self, url):
        super().__init__()
        self.url, self.open, self.flying, self.seen = url, list(range(COUNT)), {}, set()
        # A break before half have come, on a machine that is too busy, does not count.
        self.limit, self.told, self.breaks = COUNT // 2, False, 0

    def on_start(self, event):
        connection = event.container.connect(self.url)
        self.sender = event.container.create_sender(connection, "reconnect")
        event.container.create_receiver(connection, "reconnect")

    def on_sendable(self, event):
        self.send()

    def send(self):
        while self.sender.credit and self.open and COUNT - len(self.open) < self.limit:
            number = self.open.pop(0)
            self.flying[self.sender.send(Message(body=number, durable=True)).tag] = number

    def on_accepted(self, event):
        if event.delivery.link.is_sender:
            self.flying.pop(event.delivery.tag, None)

    def on_disconnected(self, event):
        self.open = list(self.flying.values()) + self.open
        self.flying = {}
        if self.told:
            self.breaks += 1
            self.limit = COUNT

    def on_message(self, event):
        self.seen.add(event.message.body)
        if len(self.seen) == COUNT // 2 and not self.told:
            self.told = True
            print("half", flush=True)
        if len(self.seen) == COUNT:
            assert self.breaks > 0, "the connection never broke"
            print("ok", flush=True)
            event.connection.close()


Container(Client(f"amqp://{sys.argv[1]}:{sys.argv[2]}")).run()
