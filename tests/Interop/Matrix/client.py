"""usage: client.py PROTOCOL HOST:PORT send ADDRESS | subscribe ADDRESS | receive ADDRESS COUNT

Sends a message for each kind of reply-to, or prints each that comes as a line of JSON: what it says in the words of its
protocol. MQTT subscribes before, in a session that stays. An address that begins with /topic/ is a topic, for those that tell them apart."""
import faulthandler
import json
import queue
import sys
import time

WAIT_SECONDS = 30
LIFE_SECONDS = 600
PRIORITY = 7
KINDS = ["queue", "topic", "temporary"]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def expected(protocol):
    """What a message of a protocol says."""
    return {
        "body": f"grüße von {protocol}", "color": f"red:{protocol}", "trace": TRACE, "correlation": f"c-{protocol}",
        "reply": "answers",
    }


def show(body, color, trace, correlation, reply, asked, kind, priority=None, expires=None):
    """reply and kind as the protocol says them; expires in milliseconds from now, None: it does not."""
    text = {"body": body, "color": color, "trace": trace, "correlation": correlation, "reply": reply, "asked": asked,
            "kind": kind, "priority": priority, "expires": expires}
    print(json.dumps(text), flush=True)


def left(expires_at):
    return expires_at - int(time.time() * 1000)


def named(address, prefix):
    return prefix + address[len("/topic/"):] if address.startswith("/topic/") else address


def amqp_send(address, to):
    from proton import Message, byte, symbol
    from proton.utils import BlockingConnection
    say = expected("amqp")
    connection = BlockingConnection(f"amqp://{address}", timeout=WAIT_SECONDS)
    sender = connection.create_sender(named(to, "topic://"))
    temporary = connection.create_receiver(None, dynamic=True).link.remote_source.address
    for number, kind in enumerate(KINDS):
        sender.send(Message(
            body=say["body"], durable=True, correlation_id=say["correlation"],
            reply_to=temporary if kind == "temporary" else say["reply"],
            annotations={symbol("x-opt-jms-reply-to"): byte(number)},
            properties={"color": say["color"], "traceparent": say["trace"], "asked": kind}, priority=PRIORITY,
            ttl=LIFE_SECONDS))
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
        kind = (message.annotations or {}).get(symbol("x-opt-jms-reply-to"))
        kind = None if kind is None else ["queue", "topic", "temp-queue", "temp-topic"][kind]
        show(body, properties.get("color"), properties.get("traceparent"), correlation, message.reply_to,
             properties.get("asked"), kind, message.priority, int(message.ttl * 1000) or None)
    connection.close()


class Stomp:
    def __init__(self, address, client_id=None):
        import stomp
        host, port = address.rsplit(":", 1)
        self.messages, self.receipts = queue.Queue(), queue.Queue()
        self.connection = stomp.Connection12([(host, int(port))])
        self.connection.set_listener("", self)
        headers = {"client-id": client_id} if client_id else {}
        self.connection.connect("user", "secret", wait=True, headers=headers)

    def __getattr__(self, name):
        return lambda *_: None

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame)


def stomp_send(address, to):
    say, client = expected("stomp"), Stomp(address)
    for kind in KINDS:
        prefix = "/temp-queue/" if kind == "temporary" else f"/{kind}/"
        client.connection.send(to, say["body"], content_type="text/plain", headers={
            "color": say["color"], "traceparent": say["trace"], "correlation-id": say["correlation"],
            "reply-to": prefix + say["reply"], "persistent": "true", "receipt": kind, "priority": str(PRIORITY),
            "asked": kind, "expires": str(int((time.time() + LIFE_SECONDS) * 1000))})
        client.receipts.get(timeout=WAIT_SECONDS)
    client.connection.disconnect()


def stomp_durable(address, source):
    client = Stomp(address, "matrix")
    client.connection.subscribe(source, id="s", ack="auto", headers={
        "durable-subscription-name": named(source, ""), "receipt": "r"})
    client.receipts.get(timeout=WAIT_SECONDS)
    return client


def stomp_subscribe(address, source):
    stomp_durable(address, source).connection.disconnect()


def stomp_receive(address, source, count):
    if source.startswith("/topic/"):
        client = stomp_durable(address, source)
    else:
        client = Stomp(address)
        client.connection.subscribe(source, id="s", ack="auto", headers={"x-stream-offset": "first"})
    for _ in range(count):
        frame = client.messages.get(timeout=WAIT_SECONDS)
        headers = frame.headers
        _, kind, reply = headers.get("reply-to", "//").split("/", 2)
        show(frame.body, headers.get("color"), headers.get("traceparent"), headers.get("correlation-id"), reply,
             headers.get("asked"), kind or None, int(headers.get("priority", 4)),
             left(int(headers["expires"])) if "expires" in headers else None)
    client.connection.disconnect()


def kafka_send(address, to):
    from kafka import KafkaProducer
    say = expected("kafka")
    producer = KafkaProducer(bootstrap_servers=address)
    for kind in KINDS:
        headers = [("color", say["color"].encode()), ("traceparent", say["trace"].encode()), ("asked", kind.encode()),
                   ("correlation", say["correlation"].encode()), ("reply", say["reply"].encode())]
        producer.send(named(to, ""), say["body"].encode(), headers=headers).get(timeout=WAIT_SECONDS)
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
        kind = {"Anycast": "queue", "Multicast": "topic"}.get(headers.get("reply-to-routing"))
        show(record.value.decode(), headers.get("color"), headers.get("traceparent"),
             find("correlation", "correlation-id"), find("reply", "reply-to"), headers.get("asked"),
             "temp-" + kind if kind and headers.get("reply-to-temporary") == "true" else kind,
             int(headers.get("priority", 4)), left(int(headers["expires-at"])) if "expires-at" in headers else None)
    consumer.close()


def mqtt_connect(address, client_id):
    import paho.mqtt.client as mqtt
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    host, port = address.rsplit(":", 1)
    client = mqtt.Client(client_id, protocol=mqtt.MQTTv5)
    client.events = queue.Queue()
    client.on_connect = lambda *a: client.events.put("connected")
    client.on_subscribe = lambda *a: client.events.put("subscribed")
    client.on_publish = lambda *a: client.events.put("published")
    client.messages = queue.Queue()
    client.on_message = lambda _, __, message: client.messages.put(message)
    stays = Properties(PacketTypes.CONNECT)
    stays.SessionExpiryInterval = 600
    client.connect(host, int(port), clean_start=False, properties=stays)
    client.loop_start()
    assert client.events.get(timeout=WAIT_SECONDS) == "connected"
    return client


def mqtt_topic(address):
    return named(address, "").replace(".", "/")


def mqtt_send(address, to):
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    say, client = expected("mqtt"), mqtt_connect(address, "matrix-sender")
    for kind in KINDS:
        properties = Properties(PacketTypes.PUBLISH)
        properties.PayloadFormatIndicator = 1
        properties.CorrelationData = say["correlation"].encode()
        properties.ResponseTopic = say["reply"]
        properties.MessageExpiryInterval = LIFE_SECONDS
        properties.UserProperty = [("color", say["color"]), ("traceparent", say["trace"]), ("asked", kind)]
        client.publish(mqtt_topic(to), say["body"].encode(), qos=1, properties=properties)
        assert client.events.get(timeout=WAIT_SECONDS) == "published"
    client.disconnect()


def mqtt_subscribe(address, source):
    client = mqtt_connect(address, mqtt_topic(source).replace("/", ""))
    client.subscribe(mqtt_topic(source), qos=1)
    assert client.events.get(timeout=WAIT_SECONDS) == "subscribed"
    client.disconnect()


def mqtt_receive(address, source, count):
    client = mqtt_connect(address, mqtt_topic(source).replace("/", ""))
    for _ in range(count):
        message = client.messages.get(timeout=WAIT_SECONDS)
        properties = message.properties
        user = dict(getattr(properties, "UserProperty", []))
        show(message.payload.decode(), user.get("color"), user.get("traceparent"),
             getattr(properties, "CorrelationData", b"").decode(), getattr(properties, "ResponseTopic", None),
             user.get("asked"), user.get("x-reply-to-kind"), None,
             getattr(properties, "MessageExpiryInterval", 0) * 1000 or None)
    client.disconnect()


faulthandler.dump_traceback_later(120, exit=True)
protocol, address, verb, name, *more = sys.argv[1:]
globals()[f"{protocol}_{verb}"](address, name, *(int(m) for m in more))
print("ok", flush=True)
