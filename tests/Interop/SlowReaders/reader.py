"""usage: reader.py PROTOCOL PORT NAME COUNT: subscribes, says "there", takes COUNT messages, says "all"."""
import faulthandler
import os
import sys
import threading

protocol, port, name, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
done = threading.Event()
taken = 0


def take(*_):
    global taken
    taken += 1
    if taken == count:
        done.set()


def there():
    print("there", flush=True)


def amqp():
    from proton.handlers import MessagingHandler
    from proton.reactor import Container, ReceiverOption
    from proton import symbol

    class Topic(ReceiverOption):
        def apply(self, receiver):
            receiver.source.capabilities.put_object(symbol("topic"))

    class Reader(MessagingHandler):
        def on_start(self, event):
            connection = event.container.connect(f"amqp://127.0.0.1:{port}", sasl_enabled=False, heartbeat=None)
            event.container.create_receiver(connection, name, options=Topic())

        def on_link_opened(self, event):
            there()

        def on_message(self, event):
            take()

    threading.Thread(target=Container(Reader()).run, daemon=True).start()


def mqtt(transport="tcp"):
    import paho.mqtt.client as paho
    client = paho.Client(f"reader-{os.getpid()}", transport=transport)
    if transport == "websockets":
        client.ws_set_options("/mqtt")
    client.on_connect = lambda *_: client.subscribe(name.replace(".", "/"), 1)
    client.on_subscribe = lambda *_: there()
    client.on_message = take
    client.connect("127.0.0.1", port, 600)
    client.loop_start()


def ws():
    mqtt("websockets")


def stomp():
    import stomp as py

    class Listener(py.ConnectionListener):
        def on_message(self, frame):
            take()

        def on_receipt(self, frame):
            there()

    connection = py.Connection12([("127.0.0.1", port)], auto_decode=False)
    connection.set_listener("", Listener())
    connection.connect(wait=True)
    connection.subscribe(f"/topic/{name}", id="s", headers={"receipt": "1"})


def make_stream():
    from kafka.admin import KafkaAdminClient, NewTopic
    from kafka.errors import TopicAlreadyExistsError
    try:
        KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}").create_topics([NewTopic(name, 1, 1)])
    except TopicAlreadyExistsError:
        pass


def kafka():
    from kafka import KafkaConsumer, TopicPartition
    make_stream()
    consumer = KafkaConsumer(bootstrap_servers=f"127.0.0.1:{port}")
    consumer.assign([TopicPartition(name, 0)])
    consumer.seek(TopicPartition(name, 0), 0)

    def run():
        for _ in consumer:
            take()

    there()
    threading.Thread(target=run, daemon=True).start()


# A connection of its own, for a client would go around what stands between, and never asks for much at once: here many
# answers are due, of nearly everything each, while nobody reads.
def kafka_greedy():
    import io
    import socket
    import struct
    from kafka.protocol.api import RequestHeader
    from kafka.protocol.fetch import FetchRequest, FetchResponse
    from kafka.record import MemoryRecords
    requests, wanted, patience = 8, 40 << 20, 250_000
    make_stream()
    peer = socket.create_connection(("127.0.0.1", port))
    stream = peer.makefile("rb")

    def ask(offset, least):
        request = FetchRequest[4](-1, patience, least, 2 * wanted, 0, [(name, [(0, offset, 2 * wanted)])])
        header = RequestHeader(request, correlation_id=1, client_id="greedy")
        message = header.encode() + request.encode()
        peer.sendall(struct.pack(">i", len(message)) + message)

    def answer():
        size, _ = struct.unpack(">ii", stream.read(8))
        (_, [(_, error, _, _, _, data)]), = FetchResponse[4].decode(io.BytesIO(stream.read(size - 4))).topics
        assert error == 0, error
        records = MemoryRecords(data)
        while (batch := records.next_batch()) is not None:
            yield from batch

    def run():
        due = 0
        while taken < count:
            for record in answer():
                if record.offset == due:
                    due += 1
                    take()
            ask(due, 1)

    for _ in range(requests):
        ask(0, wanted)
    there()
    threading.Thread(target=run, daemon=True).start()


faulthandler.dump_traceback_later(280, exit=True)
globals()[protocol]()
done.wait()
print("all", flush=True)
os._exit(0)
