# What paho's client does against the node, one function a scenario. Each raises when something is not right.
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SCENARIOS = {}
TIMEOUT = 30


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Client:
    """A client that keeps what it is told in queues."""

    def __init__(self, server, client_id, clean=True, expiry=0, will=None):
        self.server = server
        self.messages = queue.Queue()
        self.admitted = queue.Queue()
        self.done = queue.Queue()
        self.subscribed = queue.Queue()
        new = server.version == "5"
        self.client = mqtt.Client(
            client_id, protocol=mqtt.MQTTv5 if new else mqtt.MQTTv311, **({} if new else {"clean_session": clean}))
        self.client.on_message = lambda c, u, m: self.messages.put(m)
        if new:
            self.client.on_connect = lambda c, u, flags, rc, p: self.admitted.put((flags, rc))
            self.client.on_subscribe = lambda c, u, mid, codes, p: self.subscribed.put(codes)
        else:
            self.client.on_connect = lambda c, u, flags, rc: self.admitted.put((flags, rc))
            self.client.on_subscribe = lambda c, u, mid, codes: self.subscribed.put(codes)
        if will:
            self.client.will_set(will, "gone", 1)
        more = {}
        if new:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry
            more = {"clean_start": clean, "properties": properties}
        self.client.connect(server.host, server.port, 60, **more)
        self.client.loop_start()
        self.flags, code = self.admitted.get(timeout=TIMEOUT)
        assert code == 0, code

    def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos)
        codes = self.subscribed.get(timeout=TIMEOUT)
        assert int(str(codes[0]) if isinstance(codes[0], int) else codes[0].value) == qos, codes

    def publish(self, topic, body, qos=1, retain=False, **more):
        info = self.client.publish(topic, body, qos, retain, **more)
        info.wait_for_publish(TIMEOUT)
        assert info.is_published()

    def take(self):
        return self.messages.get(timeout=TIMEOUT)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def cut(self):
        """As when the cable is pulled."""
        self.client.loop_stop()
        self.client._sock_close()


class Server:
    def __init__(self, host, port, version):
        self.host, self.port, self.version = host, port, version


@scenario
def each_quality_of_service(server, name):
    reader, writer = Client(server, name + "-r"), Client(server, name + "-w")
    for qos in (0, 1, 2):
        topic = "%s/%d" % (name, qos)
        reader.subscribe(topic, qos)
        for i in range(200):
            writer.publish(topic, "%d" % i, qos)
        got = [reader.take() for _ in range(200)]
        assert [m.payload.decode() for m in got] == ["%d" % i for i in range(200)]
        assert all(m.qos == qos for m in got)
    assert reader.messages.empty()
    reader.close()
    writer.close()


@scenario
def a_session_goes_on(server, name):
    sleeper = Client(server, name, clean=False, expiry=600)
    sleeper.subscribe(name + "/#", 2)
    sleeper.close()
    writer = Client(server, name + "-w")
    for qos in (1, 2):
        writer.publish(name + "/x", "%d" % qos, qos)
    sleeper = Client(server, name, clean=False, expiry=600)
    present = sleeper.flags["session present"] if isinstance(sleeper.flags, dict) else sleeper.flags.session_present
    assert present
    assert [sleeper.take().payload for _ in range(2)] == [b"1", b"2"]
    sleeper.close()
    writer.close()


@scenario
def a_will_comes(server, name):
    reader = Client(server, name + "-r")
    reader.subscribe(name, 1)
    Client(server, name + "-w", will=name).cut()
    assert reader.take().payload == b"gone"
    reader.close()


@scenario
def retained_and_large(server, name):
    writer = Client(server, name + "-w")
    body = b"x" * 700_000
    writer.publish(name + "/large", body, 1, retain=True)
    reader = Client(server, name + "-r")
    reader.subscribe(name + "/+", 1)
    message = reader.take()
    assert message.payload == body and message.retain
    writer.publish(name + "/large", b"", 1, retain=True)
    assert reader.take().payload == b""
    reader.close()
    writer.close()


@scenario
def wildcards_and_overlaps(server, name):
    reader, writer = Client(server, name + "-r"), Client(server, name + "-w")
    for topic in (name + "/+/c", name + "/#", name + "/a/c"):
        reader.subscribe(topic, 1)
    for topic in ("a/c", "b", "", "a/c/d"):
        writer.publish("%s/%s" % (name, topic) if topic else name, topic or "root")
    assert sorted(reader.take().payload.decode() for _ in range(4)) == ["a/c", "a/c/d", "b", "root"]
    reader.close()
    writer.close()


@scenario
def request_and_answer(server, name):
    server5 = Server(server.host, server.port, "5")
    answers, asks = Client(server5, name + "-a"), Client(server5, name + "-q")
    answers.subscribe(name + "/question", 1)
    asks.subscribe(name + "/answer", 1)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = name + "/answer"
    properties.CorrelationData = b"\x00\x01"
    properties.UserProperty = [("a", "1"), ("a", "2")]
    asks.publish(name + "/question", "?", properties=properties)
    question = answers.take()
    assert question.properties.UserProperty == [("a", "1"), ("a", "2")]
    back = Properties(PacketTypes.PUBLISH)
    back.CorrelationData = question.properties.CorrelationData
    answers.publish(question.properties.ResponseTopic, "!", properties=back)
    assert asks.take().properties.CorrelationData == b"\x00\x01"
    answers.close()
    asks.close()
