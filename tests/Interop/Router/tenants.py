"""Clients of listeners whose addresses are within their virtual hosts: tenants.py SCENARIO URL-A URL-B URL-COMMON."""
import sys
import threading

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

from line import TIMEOUT, fresh
from manage import Agent

HOSTS = ("shop.example", "bank.example")


class Tenant(MessagingHandler):
    """Draws from an address of its host, answers requests, and keeps what it got."""

    def __init__(self, url, host, address, count):
        super().__init__()
        self.url, self.host, self.address, self.count = url, host, address, count
        self.bodies, self.ready, self.attached = [], threading.Event(), None

    def on_start(self, event):
        self.connection = event.container.connect(self.url, virtual_host=self.host)
        self.receiver = event.container.create_receiver(self.connection, self.address)
        self.answers = event.container.create_sender(self.connection, None)

    def on_link_opened(self, event):
        if event.link == self.receiver:
            self.attached = event.link.remote_source.address
            self.ready.set()

    def on_message(self, event):
        self.bodies.append(event.message.body)
        if event.message.reply_to:
            self.answers.send(Message(address=event.message.reply_to, body=f"{self.host}: {event.message.body}"))

    def on_accepted(self, event):
        self.leave()

    def on_settled(self, event):
        if event.link.is_receiver:
            self.leave()

    def leave(self):
        if len(self.bodies) == self.count:
            self.connection.close()


class Asker(MessagingHandler):
    """Sends to an address of its host by a link for it, by one for all, and as a request with a reply address that the
    node makes."""

    def __init__(self, url, host, address):
        super().__init__()
        self.url, self.host, self.address = url, host, address
        self.answer, self.accepted, self.is_sent, self.failure = None, 0, False, None

    def on_start(self, event):
        self.connection = event.container.connect(self.url, virtual_host=self.host)
        self.direct = event.container.create_sender(self.connection, self.address)
        self.relay = event.container.create_sender(self.connection, None)
        self.replies = event.container.create_receiver(self.connection, None, dynamic=True)

    def on_sendable(self, event):
        if event.link == self.direct and not self.is_sent:
            self.is_sent = True
            self.direct.send(Message(body=f"direct of {self.host}"))

    def on_accepted(self, event):
        self.accepted += 1
        if self.accepted == 1:
            self.relay.send(Message(address=self.address, body=f"relay of {self.host}"))
        elif self.accepted == 2:
            self.relay.send(Message(address=self.address, reply_to=self.replies.remote_source.address, body="question"))

    def on_message(self, event):
        self.answer = event.message.body
        self.connection.close()

    def on_released(self, event):
        self.failure = "released"
        self.connection.close()


def apart(near, far, common):
    """The same address of two hosts are two addresses, wherever their clients are; a listener for all sees the whole
    names."""
    address = fresh("orders")
    tenants = [Tenant(far, host, address, 3) for host in HOSTS]
    threads = [threading.Thread(target=Container(tenant).run, daemon=True) for tenant in tenants]
    for tenant, thread in zip(tenants, threads):
        thread.start()
        assert tenant.ready.wait(TIMEOUT)
        assert tenant.attached == address, tenant.attached
    keys = {row["name"] for row in Agent(common).query("router.address", "name")}
    whole = {f"M0{host}/{address}" for host in HOSTS}
    assert whole <= keys and f"M0{address}" not in keys, sorted(keys)
    for host in HOSTS:
        asker = Asker(near, host, address)
        Container(asker).run()
        assert asker.answer == f"{host}: question", (host, vars(asker))
    for host, tenant, thread in zip(HOSTS, tenants, threads):
        thread.join(TIMEOUT)
        assert tenant.bodies == [f"direct of {host}", f"relay of {host}", "question"], (host, tenant.bodies)


def shown(near, far, common):
    """The router says whose client a connection is."""
    tenant = Tenant(near, HOSTS[0], fresh("shown"), 1)
    thread = threading.Thread(target=Container(tenant).run, daemon=True)
    thread.start()
    assert tenant.ready.wait(TIMEOUT)
    rows = Agent(common).query("connection", "tenant")
    assert [row["tenant"] for row in rows if row["tenant"]] == [HOSTS[0]], rows


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
