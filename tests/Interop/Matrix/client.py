"""usage: client.py PROTOCOL HOST:PORT send ADDRESS | receive ADDRESS COUNT

Sends one message, or prints each that comes as a line of JSON: what it says in the words of its protocol."""
import faulthandler
import json
import queue
import sys

WAIT_SECONDS = 30
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def expected(protocol):
    """What a message of a protocol says."""
    return {
        "body": f"grüße von {protocol}", "color": f"red:{protocol}", "trace": TRACE, "correlation": f"c-{protocol}",
        "reply": "answers",
    }


def show(body, color, trace, correlation, reply):
    text = {"body": body, "color": color, "trace": trace, "correlation": correlation, "reply": reply}
    print(json.dumps(text), flush=True)


def amqp_send(address, to):
    from proton import Message
    from proton.utils import BlockingConnection
    say = expected("amqp")
    connection = BlockingConnection(f"amqp://{address}", timeout=WAIT_SECONDS)
    connection.create_sender(to).send(Message(
        body=say["body"], durable=True, correlation_id=say["correlation"], reply_to=say["reply"],
        properties={"color": say["color"], "traceparent": say["trace"]}))
    connection.close()


def amqp_receive(address, source, count):
    from proton import symbol
    from proton.reactor import Filter
    from proton.utils import BlockingConnection
    connection = BlockingConnection(f"amqp://{address}", timeout=WAIT_SECONDS)
    start = Filter({symbol("rabbitmq:stream-offset-spec"): "first"})
    receiver = connection.create_receiver(source, credit=count, options=start)
    for _ in range(count):
        message = receiver.receive(timeout=WAIT_SECONDS)
        receiver.accept()
        correlation, body = message.correlation_id, message.body
        correlation = bytes(correlation).decode() if isinstance(correlation, (bytes, memoryview)) else correlation
        body = bytes(body).decode() if isinstance(body, (bytes, memoryview)) else body
        properties = message.properties or {}
        show(body, properties.get("color"), properties.get("traceparent"), correlation, message.reply_to)
    connection.close()


class Stomp:
    def __init__(self, address):
        import stomp
        host, port = address.rsplit(":", 1)
        self.messages, self.receipts = queue.Queue(), queue.Queue()
        self.connection = stomp.Connection12([(host, int(port))])
        self.connection.set_listener("", self)
        self.connection.connect("user", "secret", wait=True)

    def __getattr__(self, name):
        return lambda *_: None

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame)


def stomp_send(address, to):
    say, client = expected("stomp"), Stomp(address)
    client.connection.send(to, say["body"], content_type="text/plain", headers={
        "color": say["color"], "traceparent": say["trace"], "correlation-id": say["correlation"],
        "reply-to": "/queue/" + say["reply"], "persistent": "true", "receipt": "r"})
    client.receipts.get(timeout=WAIT_SECONDS)
    client.connection.disconnect()


def stomp_receive(address, source, count):
    client = Stomp(address)
    client.connection.subscribe(source, id="s", ack="auto", headers={"x-stream-offset": "first"})
    for _ in range(count):
        frame = client.messages.get(timeout=WAIT_SECONDS)
        headers = frame.headers
        reply = headers.get("reply-to", "")
        show(frame.body, headers.get("color"), headers.get("traceparent"), headers.get("correlation-id"),
             reply[len("/queue/"):] if reply.startswith("/queue/") else reply)
    client.connection.disconnect()


def kafka_send(address, to):
    from kafka import KafkaProducer
    say = expected("kafka")
    producer = KafkaProducer(bootstrap_servers=address)
    headers = [("color", say["color"].encode()), ("traceparent", say["trace"].encode()),
               ("correlation", say["correlation"].encode()), ("reply", say["reply"].encode())]
    producer.send(to, say["body"].encode(), headers=headers).get(timeout=WAIT_SECONDS)
    producer.close()


def kafka_receive(address, source, count):
    from kafka import KafkaConsumer, TopicPartition
    consumer = KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=WAIT_SECONDS * 1000)
    consumer.assign([TopicPartition(source, 0)])
    consumer.seek_to_beginning()
    for _ in range(count):
        record = next(consumer)
        headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
        find = lambda *names: next((headers[n] for n in names if n in headers), None)
        show(record.value.decode(), headers.get("color"), headers.get("traceparent"),
             find("correlation", "correlation-id"), find("reply", "reply-to"))
    consumer.close()


faulthandler.dump_traceback_later(120, exit=True)
protocol, address, verb, name, *more = sys.argv[1:]
globals()[f"{protocol}_{verb}"](address, name, *(int(m) for m in more))
print("ok", flush=True)
