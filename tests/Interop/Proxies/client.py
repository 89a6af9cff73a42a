"""usage: client.py PROTOCOL PORT PASSWORD [CA]: logs in as alice at localhost, over TLS if there is a CA, and sends
itself a message. Then it says "there", and stays connected until its input ends; at last it says "ok"."""
import faulthandler
import queue
import sys

protocol, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ca = sys.argv[4] if len(sys.argv) > 4 else None
name = f"{protocol}.{port}"
WAIT = 30
TRIES = 5


def amqp():
    from proton import Message, SSLDomain
    from proton.utils import BlockingConnection
    domain = None
    if ca:
        domain = SSLDomain(SSLDomain.MODE_CLIENT)
        domain.set_trusted_ca_db(ca)
        domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
    connection = BlockingConnection(
        f"{'amqps' if ca else 'amqp'}://localhost:{port}", timeout=WAIT, ssl_domain=domain, allowed_mechs="PLAIN",
        user="alice", password=password, sasl_enabled=True)
    connection.create_sender(name).send(Message(body="hello", durable=True))
    receiver = connection.create_receiver(name)
    assert receiver.receive(timeout=WAIT).body == "hello"
    receiver.accept()
    return connection.close


def mqtt(transport="tcp"):
    import paho.mqtt.client as paho
    got = queue.Queue()
    client = paho.Client(name, transport=transport)
    client.username_pw_set("alice", password)
    if transport == "websockets":
        client.ws_set_options("/mqtt")
    if ca:
        client.tls_set(ca)
    client.on_connect = lambda c, u, flags, code: got.put(code)
    client.on_subscribe = lambda c, u, mid, codes: got.put(codes[0])
    client.on_message = lambda c, u, message: got.put(message.payload)
    client.connect("localhost", port)
    client.loop_start()
    assert got.get(timeout=WAIT) == 0
    client.subscribe(name, 1)
    assert got.get(timeout=WAIT) == 1
    client.publish(name, "hello", 1)
    assert got.get(timeout=WAIT) == b"hello"
    return client.disconnect


def ws():
    return mqtt("websockets")


def stomp():
    import stomp as py
    got = queue.Queue()

    class Listener(py.ConnectionListener):
        def on_message(self, frame):
            got.put(frame.body)

    connection = None
    for left in reversed(range(TRIES)):
        connection = py.Connection12([("localhost", port)], reconnect_attempts_max=1)
        if ca:
            connection.set_ssl([("localhost", port)], ca_certs=ca)
        connection.set_listener("", Listener())
        try:
            connection.connect("alice", password, wait=True)
            break
        except py.exception.ConnectFailedException:
            # It reads and writes one TLS socket on two threads, which Python does not guard: once in a hundred times
            # nothing of CONNECT leaves it, until the node ends the connection.
            if not ca or left == 0:
                raise
    connection.subscribe(f"/queue/{name}", id="s")
    connection.send(f"/queue/{name}", "hello")
    assert got.get(timeout=WAIT) == "hello"
    return connection.disconnect


def kafka():
    from kafka import KafkaConsumer, KafkaProducer
    options = {
        "bootstrap_servers": f"localhost:{port}", "security_protocol": "SASL_SSL" if ca else "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN", "sasl_plain_username": "alice", "sasl_plain_password": password, "ssl_cafile": ca}
    producer = KafkaProducer(**options)
    producer.send(name, b"hello").get(timeout=WAIT)
    consumer = KafkaConsumer(name, group_id=name, auto_offset_reset="earliest", **options)
    assert next(consumer).value == b"hello"
    producer.close()
    return consumer.close


faulthandler.dump_traceback_later(120, exit=True)
end = globals()[protocol]()
print("there", flush=True)
sys.stdin.read()
end()
print("ok", flush=True)
