"""The programs at the sites: sites.py ROLE URL ... Each is a process of its own, and speaks AMQP to the node of its site
only. They write a line for each thing that matters; the first word says what."""
import json
import sys
import threading
from collections import deque

from proton import Delivery, Described, Message, symbol, ulong
from proton.handlers import MessagingHandler
from proton.reactor import Container, Filter

STREAM = "events"


def say(*words):
    print(*words, flush=True)


class Capture(MessagingHandler):
    """An application of the site: makes events until it is told a line, and has each on the disk of its own site's node
    before it counts it."""

    def __init__(self, url, site, kind, keys, rate):
        super().__init__()
        self.url, self.site, self.kind, self.keys = url, site, kind, keys.split(",")
        self.pause, self.made, self.kept, self.is_told = 1 / float(rate), 0, 0, threading.Event()
        threading.Thread(target=lambda: (sys.stdin.readline(), self.is_told.set()), daemon=True).start()

    def on_start(self, event):
        self.container = event.container
        self.connection = event.container.connect(self.url)
        self.sender = event.container.create_sender(self.connection, f"queue://captured.{self.site}")
        self.container.schedule(self.pause, self)

    def on_timer_task(self, event):
        if self.sender.credit and not self.is_told.is_set():
            number, key = self.made, self.keys[self.made % len(self.keys)]
            self.made += 1
            body = json.dumps({"id": f"{self.site}-{number}", "key": key, "number": number, "kind": self.kind})
            message = Message(body=body, durable=True, annotations={symbol("x-opt-partition-key"): key})
            self.sender.send(message, tag=f"{number}")
        if self.is_told.is_set() and self.kept == self.made:
            say("done", self.kept)
            self.connection.close()
        else:
            self.container.schedule(self.pause, self)

    def on_accepted(self, event):
        say("captured", f"{self.site}-{event.delivery.tag}")
        self.kept += 1


class Courier(MessagingHandler):
    """Carries what the site has captured to the stream, wherever that is: one event of a key at a time, so that a key's
    events stay in order; an event leaves the site when the stream's node has it on disk, and is sent again until then."""

    def __init__(self, url, site):
        super().__init__(auto_accept=False, auto_settle=False, prefetch=0)
        self.url, self.site = url, site
        self.waiting, self.busy, self.under_way, self.tag = {}, set(), {}, 0

    def on_start(self, event):
        self.container = event.container
        connection = event.container.connect(self.url)
        self.receiver = event.container.create_receiver(connection, f"captured.{self.site}")
        self.sender = event.container.create_sender(connection, STREAM)
        self.receiver.flow(100)

    def on_message(self, event):
        key = event.message.annotations[symbol("x-opt-partition-key")]
        self.waiting.setdefault(key, deque()).append((event.delivery, event.message))
        self.send()

    def on_sendable(self, event):
        self.send()

    def on_timer_task(self, event):
        self.send()

    def send(self):
        for key, queue in self.waiting.items():
            if queue and key not in self.busy and self.sender.credit > 0:
                self.tag += 1
                message = queue[0][1]
                message.delivery_count = 0
                self.sender.send(message, tag=f"{self.tag}")
                self.under_way[f"{self.tag}"] = key
                self.busy.add(key)

    def on_delivery(self, event):
        delivery = event.delivery
        if not event.sender:
            return
        if delivery.updated and delivery.remote_state:
            key = self.under_way.pop(delivery.tag)
            self.busy.discard(key)
            if delivery.remote_state == Delivery.ACCEPTED:
                captured, _ = self.waiting[key].popleft()
                captured.update(Delivery.ACCEPTED)
                captured.settle()
                self.receiver.flow(1)
                self.send()
            else:
                # Nobody there, or nobody knows whether it came: again, a little later.
                say("again", json.loads(self.waiting[key][0][1].body)["id"], delivery.remote_state)
                self.container.schedule(0.2, self)
            delivery.settle()


class From(Filter):
    """Where a reader of the stream begins: first, last, next, an offset or a time."""

    def __init__(self, start):
        name = "rabbitmq:stream-offset-spec"
        value = ulong(int(start)) if start.isdigit() else start
        super().__init__({symbol(name): Described(symbol(name), value)})


class Reader(MessagingHandler):
    """Reads the stream from somewhere on, and tells of each record. A link that is lost is made anew behind what it
    has."""

    def __init__(self, url, name, start):
        super().__init__(prefetch=200)
        self.url, self.name, self.start, self.seen = url, name, start, {}

    def on_start(self, event):
        self.container = event.container
        self.connection = event.container.connect(self.url)
        self.attach()

    def attach(self):
        self.container.create_receiver(self.connection, STREAM, options=From(self.start))

    def on_link_opened(self, event):
        say("reading", self.name)

    def on_message(self, event):
        notes = {str(key): value for key, value in event.message.annotations.items()}
        partition, offset = int(notes["x-opt-partition"]), int(notes["x-opt-offset"])
        if self.seen.get(partition, -1) < offset:
            self.seen[partition] = offset
            body = event.message.body
            say("record", partition, offset, bytes(body).decode() if not isinstance(body, str) else body)

    def on_link_error(self, event):
        # With partitions at different offsets the earliest counts; what was seen is dropped by its offset.
        self.start = str(min(self.seen.values())) if len(self.seen) == 4 else "first" if self.seen else self.start
        say("lost", self.name, event.link.remote_condition)
        self.container.schedule(0.5, self)

    def on_timer_task(self, event):
        self.attach()


ROLES = {"capture": Capture, "courier": Courier, "reader": Reader}

if __name__ == "__main__":
    Container(ROLES[sys.argv[1]](*sys.argv[2:])).run()
