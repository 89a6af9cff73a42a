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


faulthandler.dump_traceback_later(280, exit=True)
globals()[protocol]()
done.wait()
print("all", flush=True)
os._exit(0)
