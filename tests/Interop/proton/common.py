"""What the scenarios share: a registry, connections, and a few frames that Proton's blocking API does not offer."""
import os
import uuid

from proton import Data, Delivery, Described, Link, Message, Terminus, symbol, ulong
from proton.reactor import Container, LinkOption, ReceiverOption
from proton.utils import BlockingConnection, LinkDetached

TIMEOUT = 30
SCENARIOS = {}
TRANSACTIONAL = 0x34


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Connection(BlockingConnection):
    """Gives each link a name of its own: Proton's default name makes two links of one address the same link."""

    def create_sender(self, address, name=None, **options):
        return super().create_sender(address, name=name or fresh("link"), **options)

    def create_receiver(self, address=None, name=None, **options):
        return super().create_receiver(address, name=name or fresh("link"), **options)


def connect(url, container_id=None, **options):
    container = Container()
    if container_id:
        container.container_id = container_id
    return Connection(url, timeout=TIMEOUT, container=container, **options)


def fresh(prefix="q"):
    """A name that no other scenario uses."""
    return f"{prefix}.{uuid.uuid4().hex[:12]}"


def send_all(connection, address, bodies, **properties):
    sender = connection.create_sender(address)
    for body in bodies:
        sender.send(Message(body=body, durable=True, **properties))
    sender.close()


def take(receiver, count, timeout=TIMEOUT):
    """Receives and accepts that many; returns the bodies."""
    bodies = []
    for _ in range(count):
        bodies.append(receiver.receive(timeout=timeout).body)
        receiver.accept()
    return bodies


def nothing_comes(connection, receiver):
    """Says with a drain, not with a wait, that the queue has nothing for this receiver."""
    drain(connection, receiver, 1)
    assert not receiver.fetcher.has_message, "a message came where none should"


def drain(connection, receiver, credit):
    """Grants credit with drain set and waits until the server has used or given back all of it."""
    link = receiver.link
    link.drain(credit)
    connection.wait(lambda: not link.draining() and not link.queued, timeout=TIMEOUT, msg="drain to end")
    link.drain_mode = False


def queue_is_empty(connection, address):
    receiver = connection.create_receiver(address)
    nothing_comes(connection, receiver)
    receiver.close()


def abandon(function, *arguments):
    """Runs it in a child process that ends without a word: the server sees a connection break."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, "the child failed"


def expect_detach(condition, action):
    """Runs the action and wants the server to end the link with that error condition."""
    try:
        action()
    except LinkDetached as detached:
        assert detached.condition == condition, f"wanted {condition}, got {detached}"
        return
    raise AssertionError(f"the link should have been ended with {condition}")


class Capabilities(LinkOption):
    """Names capabilities on the terminus at the server's side."""

    def __init__(self, *names):
        self.names = names

    def apply(self, link):
        terminus = link.target if link.is_sender else link.source
        put_symbols(terminus.capabilities, self.names)


class SettleModes(LinkOption):
    def __init__(self, snd=None, rcv=None):
        self.snd, self.rcv = snd, rcv

    def apply(self, link):
        if self.snd is not None:
            link.snd_settle_mode = self.snd
        if self.rcv is not None:
            link.rcv_settle_mode = self.rcv


class Expiry(ReceiverOption):
    def __init__(self, durability, policy):
        self.durability, self.policy = durability, policy

    def apply(self, receiver):
        receiver.source.durability = self.durability
        receiver.source.expiry_policy = self.policy


def put_symbols(data, names):
    data.put_array(False, Data.SYMBOL)
    data.enter()
    for name in names:
        data.put_symbol(symbol(name))
    data.exit()


class CoordinatorTarget(LinkOption):
    def apply(self, link):
        link.target.type = Terminus.COORDINATOR
        put_symbols(link.target.capabilities, ["amqp:local-transactions"])


class Transactions:
    """A coordinator link; declares and discharges, blocking."""

    def __init__(self, connection):
        self.connection = connection
        self.sender = connection.create_sender(None, name=fresh("txn"), options=[CoordinatorTarget()])

    def _control(self, descriptor, value):
        delivery = self.sender.link.send(Message(body=Described(symbol(descriptor), value)))
        self.connection.wait(lambda: delivery.remote_state or delivery.settled, timeout=TIMEOUT, msg=descriptor)
        return delivery

    def declare(self):
        delivery = self._control("amqp:declare:list", [None])
        assert delivery.remote.data, f"no transaction id: {delivery.remote_state}"
        identifier = delivery.remote.data[0]
        delivery.settle()
        return identifier

    def discharge(self, identifier, fail):
        delivery = self._control("amqp:discharge:list", [identifier, fail])
        state = delivery.remote_state
        delivery.settle()
        return state

    def commit(self, identifier):
        state = self.discharge(identifier, False)
        assert state == Delivery.ACCEPTED, f"the commit ended as {state}"

    def rollback(self, identifier):
        state = self.discharge(identifier, True)
        assert state == Delivery.ACCEPTED, f"the rollback ended as {state}"

    def send(self, sender, identifier, message):
        """Sends within the transaction; returns when the server has answered."""
        delivery = sender.link.send(message)
        delivery.local.data = [identifier]
        delivery.update(TRANSACTIONAL)
        self.connection.wait(lambda: delivery.remote_state, timeout=TIMEOUT, msg="transactional send")
        delivery.settle()

    def settle(self, receiver, identifier, outcome=Delivery.ACCEPTED):
        """Settles the receiver's next unsettled delivery within the transaction."""
        delivery = receiver.fetcher.unsettled.popleft()
        delivery.local.data = [identifier, Described(ulong(outcome), [])]
        delivery.update(TRANSACTIONAL)
        delivery.settle()


PRESETTLED = SettleModes(snd=Link.SND_SETTLED)
UNSETTLED = SettleModes(snd=Link.SND_UNSETTLED, rcv=Link.RCV_FIRST)
EXACTLY_ONCE = SettleModes(snd=Link.SND_UNSETTLED, rcv=Link.RCV_SECOND)
QUEUE = Capabilities("queue")
TOPIC = Capabilities("topic")
SHARED = Capabilities("topic", "shared")
SHARED_GLOBAL = Capabilities("topic", "shared", "global")
