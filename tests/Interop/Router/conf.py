"""Routers that configuration files describe: conf.py SCENARIO URL [MORE...]."""
import socket
import ssl
import sys

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container
from proton.utils import BlockingConnection, SyncRequestResponse

from authservice import HEADERS, Service, encoded, frame
from line import TIMEOUT, accept, deliver, fresh, Sender
from manage import Agent


def logged_in(url, user):
    """The other router has logged in by its certificate, and is called what that says."""
    trunk = [c for c in Agent(url).query("connection") if c["role"] == "inter-router"][0]
    assert trunk["sasl"] == "EXTERNAL" and trunk["user"] == user, trunk
    assert trunk["isAuthenticated"] and trunk["isEncrypted"], trunk


def demands_login(url):
    """A listener that asks for a login lets nobody in without one; with one, all is as elsewhere."""
    for wrong in (url, url.replace("amqp://", "amqp://nobody:wrong@")):
        try:
            BlockingConnection(wrong, timeout=TIMEOUT)
        except Exception as refusal:
            assert "uthentication" in str(refusal) or "mechanism" in str(refusal), repr(refusal)
        else:
            raise AssertionError("let in")


class Opened(MessagingHandler):
    """Keeps what the router's open, attach and first message say."""

    def __init__(self, url, address):
        super().__init__()
        self.url, self.address, self.credit = url, address, 0

    def on_start(self, event):
        self.connection = event.container.connect(self.url)
        self.receiver = event.container.create_receiver(self.connection, self.address)
        self.sender = event.container.create_sender(self.connection, self.address)

    def on_sendable(self, event):
        if not self.credit:
            self.credit = event.link.credit
            self.sender.send(Message(body="x", annotations={"mine": 1}))

    def on_message(self, event):
        transport = self.connection.transport
        self.frame, self.channels = transport.remote_max_frame_size, transport.remote_channel_max
        self.idle, self.annotations = transport.remote_idle_timeout, event.message.annotations
        self.connection.close()


def narrow(url):
    """A listener of its own mind: frames, sessions, silence, credit and annotations."""
    seen = Opened(url, fresh("narrow"))
    Container(seen).run()
    assert (seen.frame, seen.channels, seen.idle, seen.credit) == (2048, 4, 4.0, 7), vars(seen)
    assert seen.annotations["mine"] == 1 and seen.annotations["x-opt-qd.ingress"] == "0/A", seen.annotations


def usual(url):
    """The router's other listeners are not touched by that."""
    seen = Opened(url, fresh("usual"))
    Container(seen).run()
    assert seen.frame > 2048 and seen.channels > 4 and seen.credit == 250, vars(seen)
    assert list(seen.annotations) == ["mine"], seen.annotations


def asks_a_service(url, port):
    """Another program says who a client is, and which addresses it may use."""
    service = Service(int(port), {"ann": ("right", {"orders.*": ["send"], "news": ["recv", "send"]})})
    for wrong in ("ann:wrong@", "bob:right@", ""):
        try:
            BlockingConnection(url.replace("//", "//" + wrong), timeout=TIMEOUT, allow_insecure_mechs=True)
        except Exception as refusal:
            assert "uthentication" in str(refusal) or "mechanism" in str(refusal), repr(refusal)
        else:
            raise AssertionError("let in: " + wrong)
    ann = BlockingConnection(url.replace("//", "//ann:right@"), timeout=TIMEOUT, allow_insecure_mechs=True)
    receiver, sender = ann.create_receiver("news", credit=1), ann.create_sender("news")
    sender.link.send(Message(body="fresh"))
    assert receiver.receive(timeout=TIMEOUT).body == "fresh"
    receiver.accept()
    ann.create_sender("orders.1")
    for forbidden in (lambda: ann.create_receiver("orders.1"), lambda: ann.create_sender("other")):
        try:
            forbidden()
        except Exception as refusal:
            assert "unauthorized-access" in str(refusal), repr(refusal)
        else:
            raise AssertionError("attached")
    assert set(service.realms) == {"shop.example"}, service.realms
    ann.close()


def asked_for(url, port):
    """A client that names no host in its open is one of the host that it asked for under TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="shop.example") as raw:
        raw.sendall(HEADERS["amqp"] + frame(0, encoded(0x10, lambda data: data.put_string("raw"))))
        stream = raw.makefile("rb")
        assert stream.read(8) == HEADERS["amqp"]
        Service.read(stream, 0x10)
        shown = [c for c in Agent(url).query("connection") if c["container"] == "raw"][0]
        assert shown["tenant"] == "shop.example", shown
        assert shown["sslProto"] == raw.version() and shown["sslSsf"] == raw.cipher()[2], (shown, raw.cipher())


def has_users(url):
    """Whoever does not log in uses addresses and changes nothing; users do what their roles allow."""
    create = {"operation": "CREATE", "type": "org.apache.qpid.dispatch.router.config.address"}
    for login, status in (("", 403), ("bob:right@", 403), ("ann:right@", 201)):
        address = fresh("users")
        connection = BlockingConnection(url.replace("//", "//" + login), timeout=TIMEOUT, allow_insecure_mechs=True)
        receiver, sender = connection.create_receiver(address, credit=1), connection.create_sender(address)
        sender.link.send(Message(body="m"))
        assert receiver.receive(timeout=TIMEOUT).body == "m"
        receiver.accept()
        reply = SyncRequestResponse(connection, "$management").call(
            Message(properties={**create, "name": address}, body={"prefix": address}))
        assert reply.properties["statusCode"] == status, (login, reply)
        connection.close()
    demands_right_password(url)


def demands_right_password(url):
    try:
        BlockingConnection(url.replace("//", "//ann:wrong@"), timeout=TIMEOUT, allow_insecure_mechs=True)
    except Exception as refusal:
        assert "uthentication" in str(refusal), repr(refusal)
    else:
        raise AssertionError("let in")


def through(first, last):
    """Messages go from one to the other."""
    address = fresh("through")
    deliver(Sender(last, address, [f"m{i}" for i in range(50)]), first, address, accept)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
