"""A router written from the protocol's description: joins a node on its inter-router listener, advertises an address,
and takes the messages that a client of the node sends there. peer.py INTER-ROUTER-URL CLIENT-URL"""
import sys
import threading
import time

from proton import Endpoint, Message, int32, symbol
from proton.handlers import MessagingHandler
from proton.reactor import Container, LinkOption

ID, ADDRESS, COUNT = "FAKE", "fake.addr", 1000
STARTED = int32(int(time.time()))


class Capability(LinkOption):
    """Links between routers have no address; their one capability says what they are for."""

    def __init__(self, name):
        self.name = name

    def apply(self, link):
        for terminus in (link.source, link.target):
            terminus.capabilities.put_symbol(symbol(self.name))


class Router(MessagingHandler):
    def __init__(self, url, client_url):
        super().__init__(prefetch=250)
        self.url, self.client_url = url, client_url
        self.neighbour, self.seen, self.got = None, [], []
        self.annotated = 0
        self.client = None

    def on_start(self, event):
        self.container = event.container
        self.container.container_id = ID
        self.connection = self.container.connect(self.url, properties={symbol("qd.annotations-version"): int32(1)})
        # Control links in the first session, and one pair for messages of all priorities in a second.
        self.control_in = self.container.create_receiver(self.connection, None, options=Capability("qd.router"))
        self.control_out = self.container.create_sender(self.connection, None, options=Capability("qd.router"))
        session = self.connection.session()
        session.open()
        self.data_in = self.container.create_receiver(session, None, name="data-in", options=Capability("qd.router-data"))
        self.data_out = self.container.create_sender(session, None, name="data-out", options=Capability("qd.router-data"))
        self.container.schedule(0.5, self)

    def control(self, to, opcode, **body):
        message = Message(
            address=to, properties={"opcode": opcode},
            body={"id": ID, "pv": int32(1), "area": "0", **body},
            annotations={symbol("x-opt-qd.ingress"): f"0/{ID}", symbol("x-opt-qd.trace"): [f"0/{ID}"]})
        delivery = self.control_out.send(message)
        delivery.settle()

    def hello(self):
        self.control("amqp:/_local/qdhello", "HELLO", instance=STARTED, seen=self.seen)

    def advertise(self):
        self.control("amqp:/_topo/0/all/qdrouter", "RA", instance=STARTED, ls_seq=int32(1), mobile_seq=int32(1))

    def on_timer_task(self, event):
        self.hello()
        if self.seen:
            self.advertise()
        if self.connection.state & Endpoint.LOCAL_ACTIVE:
            self.container.schedule(0.5, self)

    def on_message(self, event):
        if event.receiver == self.data_in:
            self.on_data(event.message)
        elif event.receiver == self.control_in:
            self.on_control(event.message)

    def on_control(self, message):
        body = {str(key): value for key, value in message.body.items()}
        opcode = message.properties["opcode"]
        if body["id"] == ID:
            return
        if opcode == "HELLO" and not self.seen:
            self.neighbour = body["id"]
            self.seen = [body["id"]]
            self.hello()
            self.advertise()
        elif opcode == "LSR":
            self.control(
                f"amqp:/_topo/0/{body['id']}/qdrouter", "LSU", instance=STARTED, ls_seq=int32(1),
                ls={"id": ID, "area": "0", "ls_seq": int32(1), "peers": {self.neighbour: int32(1)}})
        elif opcode == "MAR":
            self.control(
                f"amqp:/_topo/0/{body['id']}/qdrouter.ma", "MAU", mobile_seq=int32(1),
                hints=[int32(3)], exist=[f"M0{ADDRESS}"])
            if not self.client:
                self.client = Client(self.client_url, self)
                threading.Thread(target=Container(self.client).run).start()

    def on_data(self, message):
        annotations = {str(key): value for key, value in (message.annotations or {}).items()}
        assert annotations["x-opt-qd.to"] == ADDRESS, annotations
        assert annotations["x-opt-qd.ingress"] == f"0/{self.neighbour}", annotations
        assert annotations["x-opt-qd.trace"] == [f"0/{self.neighbour}"], annotations
        self.got.append(message.body)

    def on_transport_error(self, event):
        print("router:", event.transport.condition)


class Client(MessagingHandler):
    """Sends to the address of the router, over the node's listener for clients."""

    def __init__(self, url, router):
        super().__init__()
        self.url, self.router, self.sent, self.accepted = url, router, 0, 0

    def on_start(self, event):
        self.connection = event.container.connect(self.url)
        event.container.create_sender(self.connection, ADDRESS)

    def on_sendable(self, event):
        while event.sender.credit and self.sent < COUNT:
            event.sender.send(Message(body=self.sent))
            self.sent += 1

    def on_accepted(self, event):
        self.accepted += 1
        if self.accepted == COUNT:
            self.connection.close()
            self.router.connection.close()


if __name__ == "__main__":
    router = Router(*sys.argv[1:])
    Container(router).run()
    assert router.got == list(range(COUNT)), len(router.got)
    assert router.client.accepted == COUNT, router.client.accepted
    print("ok")
