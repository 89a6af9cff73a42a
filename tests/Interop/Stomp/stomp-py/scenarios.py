"""What stomp.py, in each of its three versions of the protocol, can rely on."""
import queue
import time
import uuid

import stomp

SCENARIOS = {}
WAIT_SECONDS = 20


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Client(stomp.ConnectionListener):
    """A connection and what came over it."""

    def __init__(self, host, port, version, client_id=None, heartbeats=(0, 0)):
        self.version = version
        self.messages = queue.Queue()
        self.receipts = queue.Queue()
        self.errors = queue.Queue()
        self.gone = queue.Queue()
        kinds = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}
        more = {} if version == "1.0" else {"heartbeats": heartbeats}
        self.connection = kinds[version]([(host, port)], reconnect_attempts_max=1, **more)
        self.connection.set_listener("", self)
        headers = {"client-id": client_id} if client_id else {}
        self.connection.connect("user", "secret", wait=True, headers=headers)

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.put(frame)

    def on_disconnected(self):
        self.gone.put(True)

    def send(self, destination, body="", **headers):
        """Sends and waits until the node has it."""
        receipt = uuid.uuid4().hex
        self.connection.send(destination, body, headers={"persistent": "true", "receipt": receipt, **headers})
        assert self.receipts.get(timeout=WAIT_SECONDS) == receipt

    def subscribe(self, destination, ack="auto", id="s", **headers):
        self.connection.subscribe(destination, id=id, ack=ack, headers=headers)

    def next(self):
        return self.messages.get(timeout=WAIT_SECONDS)

    def ack(self, frame, nack=False, **more):
        call = self.connection.nack if nack else self.connection.ack
        if self.version == "1.2":
            call(frame.headers["ack"], **more)
        elif self.version == "1.1":
            call(frame.headers["message-id"], frame.headers["subscription"], **more)
        else:
            call(frame.headers["message-id"], **more)

    def close(self):
        self.connection.disconnect(receipt="bye")


def name(kind):
    return f"/{kind}/stomp.{uuid.uuid4().hex}"


@scenario
def message_comes_out_as_it_went_in(host, port, version):
    client = Client(host, port, version)
    destination = name("queue")
    special = "a:b\nc\\d" if version != "1.0" else "plain"
    client.send(destination, "héllo\n\n", special=special, **{"correlation-id": "c", "priority": "7"})
    client.subscribe(destination)
    frame = client.next()
    assert frame.body == "héllo\n\n", frame.body
    assert frame.headers["special"] == special, frame.headers
    assert frame.headers["correlation-id"] == "c" and frame.headers["priority"] == "7", frame.headers
    assert frame.headers["destination"] == destination, frame.headers
    client.close()


@scenario
def topic_reaches_everybody(host, port, version):
    topic = name("topic")
    clients = [Client(host, port, version) for _ in range(3)]
    for client in clients:
        client.subscribe(topic)
        client.send(name("queue"), "behind the subscription")
    clients[0].send(topic, "news")
    assert [client.next().body for client in clients] == ["news"] * 3
    for client in clients:
        client.close()


@scenario
def what_is_not_acknowledged_comes_again(host, port, version):
    destination = name("queue")
    first = Client(host, port, version)
    for number in range(3):
        first.send(destination, f"{number}")
    first.subscribe(destination, ack="client-individual")
    got = [first.next() for _ in range(3)]
    first.ack(got[1], receipt="acked")
    assert first.receipts.get(timeout=WAIT_SECONDS) == "acked"
    first.connection.transport.disconnect_socket()
    second = Client(host, port, version)
    second.subscribe(destination, ack="client")
    again = [second.next() for _ in range(2)]
    assert [frame.body for frame in again] == ["0", "2"], again
    assert all(frame.headers.get("redelivered") == "true" for frame in again), again
    second.ack(again[1])
    second.close()


@scenario
def transaction_is_all_or_nothing(host, port, version):
    source, target = name("queue"), name("queue")
    client = Client(host, port, version)
    client.send(source, "in")
    client.subscribe(source, ack="client", id="in")
    frame = client.next()
    for ends in ("abort", "commit"):
        transaction = client.connection.begin()
        client.connection.send(target, ends, headers={"persistent": "true"}, transaction=transaction)
        client.ack(frame, transaction=transaction)
        getattr(client.connection, ends)(transaction)
    client.subscribe(target, id="out")
    assert client.next().body == "commit"
    client.close()
    later = Client(host, port, version)
    later.subscribe(source)
    later.send(source, "new")
    assert later.next().body == "new"
    later.close()


@scenario
def refused_messages_end_in_the_dead_letters(host, port, version):
    if version == "1.0":
        return
    destination = f"/queue/dead.{uuid.uuid4().hex}"
    client = Client(host, port, version)
    client.send(destination, "poison", mark=destination)
    client.subscribe(destination, ack="client-individual")
    for _ in range(3):
        client.ack(client.next(), nack=True)
    undertaker = Client(host, port, version)
    undertaker.subscribe("/queue/letters", selector=f"mark = '{destination}'")
    assert undertaker.next().headers["_AMQ_ORIG_ADDRESS"] == destination[len("/queue/"):]
    undertaker.close()
    client.close()


@scenario
def durable_subscription_keeps_what_comes(host, port, version):
    topic, subscription = name("topic"), {"durable-subscription-name": "d"}
    owner = f"c{uuid.uuid4().hex}"
    first = Client(host, port, version, owner)
    first.subscribe(topic, ack="client", **subscription)
    first.send(name("queue"), "behind the subscription")
    first.close()
    other = Client(host, port, version)
    other.send(topic, "while away")
    second = Client(host, port, version, owner)
    second.subscribe(topic, ack="client", **subscription)
    frame = second.next()
    assert frame.body == "while away"
    second.ack(frame)
    second.close()
    other.close()


@scenario
def temporary_queue_takes_the_answer(host, port, version):
    service = name("queue")
    server, client = Client(host, port, version), Client(host, port, version)
    server.subscribe(service)
    client.subscribe("/temp-queue/answers")
    client.send(service, "question", **{"reply-to": "/temp-queue/answers"})
    server.send(server.next().headers["reply-to"], "answer")
    assert client.next().body == "answer"
    server.close()
    client.close()


@scenario
def heart_beats_keep_a_connection(host, port, version):
    if version == "1.0":
        return
    client = Client(host, port, version, heartbeats=(1000, 1000))
    time.sleep(4)
    assert client.connection.is_connected() and client.gone.empty()
    client.send(name("queue"), "still here")
    client.close()


@scenario
def large_message_comes_out_as_it_went_in(host, port, version):
    body = "0123456789abcdef" * (3 << 16)
    destination = name("queue")
    client = Client(host, port, version)
    client.send(destination, body)
    client.subscribe(destination)
    assert client.next().body == body
    client.close()


@scenario
def error_tells_what_was_wrong(host, port, version):
    client = Client(host, port, version)
    client.connection.commit("no such transaction")
    frame = client.errors.get(timeout=WAIT_SECONDS)
    assert "no such transaction" in frame.headers["message"], frame.headers
    client.gone.get(timeout=WAIT_SECONDS)
