"""usage: huge.py URL BYTES: one durable message of that many bytes, in and out, a piece at a time; neither side of this
program holds the message. Prints "ok" when every byte came out as it went in."""
import faulthandler
import hashlib
import sys

from proton import Delivery
from proton.handlers import IncomingMessageHandler, MessagingHandler
from proton.reactor import Container

from common import fresh

PIECE = 1 << 20
WAITING_MAX = 8 * PIECE
FRAME = 128 << 10
DURABLE_HEADER = b"\x00\x53\x70\xc0\x02\x01\x41"
DATA_SECTION = b"\x00\x53\x75\xb0"


def piece(number):
    """A mebibyte that is different for each number."""
    return hashlib.sha256(number.to_bytes(8, "big")).digest() * (PIECE // 32)


class Sender(MessagingHandler):
    def __init__(self, url, address, count):
        super().__init__()
        self.url, self.address, self.count = url, address, count
        self.sent = 0
        self.sender = self.delivery = None
        self.accepted = False
        self.digest = hashlib.sha256()

    def on_start(self, event):
        connection = event.container.connect(self.url, reconnect=False, max_frame_size=FRAME)
        self.sender = event.container.create_sender(connection, self.address)

    def on_sendable(self, event):
        if self.delivery is None:
            self.delivery = self.sender.delivery("huge")
            self.sender.stream(DURABLE_HEADER + DATA_SECTION + self.count.to_bytes(4, "big"))
            self.pump(event.container)

    def on_timer_task(self, event):
        self.pump(event.container)

    def pump(self, container):
        while self.sent < self.count and self.sender.session.outgoing_bytes < WAITING_MAX:
            part = piece(self.sent // PIECE)[: self.count - self.sent]
            self.digest.update(part)
            self.sender.stream(part)
            self.sent += len(part)
        if self.sent < self.count:
            container.schedule(0.001, self)
        else:
            self.sender.advance()

    def on_accepted(self, event):
        self.accepted = True
        event.connection.close()


class Receiver(MessagingHandler):
    def __init__(self, url, address):
        super().__init__(prefetch=0, auto_accept=False)
        # It would wait for the whole message and decode it.
        self.handlers = [h for h in self.handlers if not isinstance(h, IncomingMessageHandler)]
        self.url, self.address = url, address
        self.received = 0
        self.digest = hashlib.sha256()
        self.start = b""
        self.count = None

    def on_start(self, event):
        connection = event.container.connect(self.url, reconnect=False, max_frame_size=FRAME)
        event.container.create_receiver(connection, self.address).flow(1)

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.readable and delivery.pending:
            self.take(event.link.recv(delivery.pending) or b"")
        if not delivery.partial:
            delivery.update(Delivery.ACCEPTED)
            delivery.settle()
            event.connection.close()

    def take(self, part):
        if self.count is None:
            self.start += part
            at = self.start.find(DATA_SECTION)
            body = at + len(DATA_SECTION) + 4
            if at < 0 or len(self.start) < body:
                return
            self.count = int.from_bytes(self.start[body - 4:body], "big")
            part = self.start[body:]
        self.digest.update(part)
        self.received += len(part)


def main(url, count):
    address = fresh()
    sender = Sender(url, address, count)
    Container(sender).run()
    assert sender.accepted, f"not accepted after {sender.sent} bytes"
    receiver = Receiver(url, address)
    Container(receiver).run()
    assert (receiver.count, receiver.received) == (count, count), f"{receiver.received} of {receiver.count} bytes came"
    assert receiver.digest.digest() == sender.digest.digest(), "the body changed"
    print("ok", flush=True)


faulthandler.dump_traceback_later(280, exit=True)
main(sys.argv[1], int(sys.argv[2]))
