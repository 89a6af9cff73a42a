"""Clients of a network to which bad things happen: chaos.py SEED URL-OF-OWNER URL-OF-OTHERS... The owner's broker has
the queue 'work'; nobody has 'direct'. PILLARBOX_CHAOS_ADDRESSES names others than these two. Runs until a line comes on its standard input; then everything is to be whole
again, the queue is emptied, and what was promised is held against what was seen:

- what was accepted was received, or was in the queue at the end;
- what came twice was sent twice because nobody knew, or was drawn again because the queue had not heard of the
  consumer's word;
- afterwards, when all is whole, each sender's messages come once, in order."""
import collections
import os
import random
import sys
import threading
import time

from proton import Delivery, Message
from proton.handlers import MessagingHandler
from proton.reactor import Backoff, Container

PATIENCE = float(os.environ.get("PILLARBOX_CHAOS_PATIENCE", "60"))
ADDRESSES = os.environ.get("PILLARBOX_CHAOS_ADDRESSES", "work,direct").split(",")
RECONNECT = dict(reconnect=Backoff(initial=0.1, max_delay=1, factor=2), heartbeat=4)


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.sends, self.accepted = collections.Counter(), set()
        self.received, self.unsure = collections.defaultdict(list), set()

    def sent(self, name):
        with self.lock:
            self.sends[name] += 1

    def heard(self, name):
        with self.lock:
            self.accepted.add(name)

    def came(self, name, consumer):
        with self.lock:
            self.received[name].append(consumer)

    def nobody_knows(self, names):
        with self.lock:
            self.unsure.update(names)


class Client(MessagingHandler):
    def __init__(self, urls, name, ledger, **options):
        super().__init__(auto_settle=False, **options)
        self.urls, self.name, self.ledger, self.over = urls, name, ledger, False

    def start(self):
        self.thread = threading.Thread(target=Container(self).run, daemon=True)
        self.thread.start()
        return self

    def on_start(self, event):
        self.container = event.container
        self.container.container_id = self.name
        self.connection = event.container.connect(urls=self.urls, **RECONNECT)
        self.container.schedule(0.1, self)

    def on_timer_task(self, event):
        if self.over:
            self.connection.close()
        else:
            self.tick()
            self.container.schedule(0.05, self)

    def tick(self):
        pass

    def on_transport_error(self, event):
        pass

    def on_link_error(self, event):
        # Its node could not serve it just now.
        if not self.over:
            self.on_link_lost(event)
            self.container.schedule(0.3, Again(self, event.link.is_sender))

    def on_link_lost(self, event):
        pass

    def end(self):
        self.over = True
        self.thread.join(PATIENCE)


class Again(MessagingHandler):
    def __init__(self, client, is_sender):
        super().__init__()
        self.client = client

    def on_timer_task(self, event):
        self.client.attach()


class Producer(Client):
    """Sends again what was released, or of what nobody knows; says so."""

    def __init__(self, urls, name, address, ledger, rate=150):
        super().__init__(urls, name, ledger)
        self.address, self.rate = address, rate
        self.next, self.again, self.under_way, self.sender, self.tag = 0, [], {}, None, 0
        self.stopped = False

    def on_start(self, event):
        super().on_start(event)
        self.attach()

    def attach(self):
        self.sender = self.container.create_sender(self.connection, self.address)

    def on_disconnected(self, event):
        self.on_link_lost(event)

    def on_link_lost(self, event):
        # What was under way may have come or not.
        self.again += [name for name in self.under_way.values()]
        self.under_way.clear()

    def tick(self):
        for _ in range(max(1, self.rate // 20)):
            if not self.sender or self.sender.credit <= 0 or not self.sender.session.connection.state:
                return
            if self.again:
                name = self.again.pop(0)
            elif not self.stopped:
                name, self.next = f"{self.name}/{self.next}", self.next + 1
            else:
                return
            self.tag += 1
            self.under_way[f"{self.tag}"] = name
            self.ledger.sent(name)
            self.sender.send(Message(body=name, durable=True), tag=f"{self.tag}")

    def on_delivery(self, event):
        delivery = event.delivery
        if not event.sender or not delivery.updated or not delivery.remote_state:
            return
        name = self.under_way.pop(delivery.tag, None)
        if name:
            if delivery.remote_state == Delivery.ACCEPTED:
                self.ledger.heard(name)
            else:
                self.again.append(name)
        delivery.settle()

    def is_done(self):
        return self.stopped and not self.again and not self.under_way


class Consumer(Client):
    """Accepts everything. What it had accepted when its way broke, the other side may not have heard of."""

    def __init__(self, urls, name, address, ledger):
        super().__init__(urls, name, ledger, auto_accept=False, prefetch=20)
        self.address, self.last, self.ready = address, collections.deque(maxlen=2000), threading.Event()

    def on_start(self, event):
        super().on_start(event)
        self.attach()

    def attach(self):
        self.receiver = self.container.create_receiver(self.connection, self.address)

    def on_link_opened(self, event):
        self.ready.set()

    def on_message(self, event):
        self.ledger.came(event.message.body, self.name)
        event.delivery.update(Delivery.ACCEPTED)
        event.delivery.settle()


def check(ledger, seed):
    faults = []
    lost = [name for name in ledger.accepted if name not in ledger.received]
    if lost:
        faults.append(f"{len(lost)} of {len(ledger.accepted)} accepted messages are LOST: {sorted(lost)[:10]}")
    for name, consumers in ledger.received.items():
        if name.split("/")[0].startswith("direct") and len(consumers) > ledger.sends[name]:
            faults.append(f"{name} came {len(consumers)} times, and was sent {ledger.sends[name]} times")
        if name not in ledger.sends:
            faults.append(f"{name} was not sent")
    return faults


def when_all_is_whole(urls, faults):
    """Each sender's messages come once and in order, by the queue and without one."""
    for address in (*ADDRESSES, "all.after"):
        ledger = Ledger()
        consumer = Consumer([urls[-1]], "after", address, ledger).start()
        assert consumer.ready.wait(PATIENCE)
        producers = [Producer([url], f"{address}-{number}", address, ledger, rate=400)
                     for number, url in enumerate(urls[:2])]
        for producer in producers:
            producer.start()
        time.sleep(1)
        for producer in producers:
            producer.stopped = True
        wait("the last outcomes", lambda: all(producer.is_done() for producer in producers))
        wait("the last messages", lambda: ledger.accepted <= set(ledger.received))
        order = collections.defaultdict(list)
        for name, consumers in ledger.received.items():
            sender, number = name.split("/")
            if len(consumers) != 1:
                faults.append(f"afterwards {name} came {len(consumers)} times")
            if ledger.sends[name] == 1:
                order[sender].append(int(number))
        for sender, numbers in order.items():
            if numbers != sorted(numbers):
                faults.append(f"afterwards the order of {sender} is not kept")
        if not ledger.accepted:
            faults.append(f"afterwards nothing was accepted at {address}")
        for client in (*producers, consumer):
            client.end()


def wait(what, holds):
    if not comes(holds):
        raise SystemExit(f"it did not come to this: {what}")


def comes(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def main(seed, owner, *others):
    choice, ledger = random.Random(int(seed)), Ledger()
    urls = [owner, *others]

    def some():
        return choice.sample(urls, len(urls))

    consumers = [Consumer(some(), f"consumer-{i}", address, ledger).start()
                 for i, address in enumerate(address for address in ADDRESSES for _ in range(2))]
    producers = [Producer(some(), f"{address}{i}", address, ledger)
                 for i, address in enumerate(address for address in ADDRESSES for _ in range(2))]
    for producer in producers:
        producer.start()
    wait("the first messages", lambda: all(any(n.startswith(p.name) for n in ledger.received) for p in producers))
    print("running", flush=True)
    sys.stdin.readline()
    for producer in producers:
        producer.stopped = True
    wait(f"every outcome: {[(p.name, len(p.again), len(p.under_way)) for p in producers]}",
         lambda: all(producer.is_done() for producer in producers))
    # What does not come is a fault, and named as such.
    comes(lambda: ledger.accepted <= set(ledger.received))
    for client in (*producers, *consumers):
        client.end()
    faults = check(ledger, seed)
    if not faults:
        when_all_is_whole(urls, faults)
    for fault in faults[:20]:
        print(fault)
    again = sum(count - 1 for count in ledger.sends.values())
    print(f"{len(ledger.sends)} messages, {len(ledger.accepted)} accepted, {again} sent again, "
          f"{sum(len(c) - 1 for c in ledger.received.values())} came again")
    print("FAILED" if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
