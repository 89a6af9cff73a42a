# usage: python3 crash.py HOST PORT STOPFILE
# Publishes and subscribes with QoS 1 and 2, and says "ready" when that goes. Then the server is killed again and again,
# until the file is there. Takes what is left and prints "ok" when nothing acknowledged is lost and nothing of QoS 2 came
# twice. How long anything takes is for whoever started it.
import collections
import os
import sys
import threading
import time

import paho.mqtt.client as mqtt

host, port, stop_file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
WINDOW = 20
ACKNOWLEDGED_MIN = 10
# What is not there then is lost.
LEFT_SECONDS = 150
gate = threading.Condition()
got = {1: collections.Counter(), 2: collections.Counter()}
order = {1: [], 2: []}
acknowledged = {1: set(), 2: set()}
pending = {}
early = set()


class Client(mqtt.Client):
    """paho forgets a PUBREC when a connection attempt fails, and publishes anew what the server has: mended here."""

    def _messages_reconnect_reset_out(self):
        for message in self._out_messages.values():
            if message.qos == 2 and message.state == mqtt.mqtt_ms_resend_pubrel:
                message.state = mqtt.mqtt_ms_wait_for_pubcomp
        super()._messages_reconnect_reset_out()


def client(name):
    made = Client(name, clean_session=False, protocol=mqtt.MQTTv311)
    made.reconnect_delay_set(0.05, 0.2)
    made.max_inflight_messages_set(WINDOW * 2)
    return made


def on_message(_, __, message):
    qos, number = int(message.topic[-1]), int(message.payload)
    with gate:
        if got[qos][number] == 0:
            order[qos].append(number)
        got[qos][number] += 1
        gate.notify_all()


def on_publish(_, __, mid):
    with gate:
        if mid in pending:
            qos, number = pending.pop(mid)
            acknowledged[qos].add(number)
        else:
            early.add(mid)
        gate.notify_all()


def on_subscribed(made, _, __, ___):
    ready.set()


ready = threading.Event()
reader = client("crash-reader")
reader.on_message = on_message
reader.on_subscribe = on_subscribed
reader.on_connect = lambda made, *_: made.subscribe([("crash/1", 1), ("crash/2", 2)])
reader.connect(host, port, 10)
reader.loop_start()
ready.wait()

writer = client("crash-writer")
writer.on_publish = on_publish
writer.connect(host, port, 10)
writer.loop_start()

number = 0
said = False
while not os.path.exists(stop_file) or len(acknowledged[2]) < ACKNOWLEDGED_MIN:
    if not said and acknowledged[1] and acknowledged[2]:
        said = True
        print("ready", flush=True)
    with gate:
        gate.wait_for(lambda: len(pending) < WINDOW, 0.2)
        if len(pending) >= WINDOW:
            continue
    for qos in (1, 2):
        # Without the gate: paho holds a lock of its own when it calls on_publish.
        info = writer.publish("crash/%d" % qos, "%d" % number, qos)
        with gate:
            if info.mid in early:
                early.discard(info.mid)
                acknowledged[qos].add(number)
            else:
                pending[info.mid] = (qos, number)
    number += 1

deadline = time.time() + LEFT_SECONDS
with gate:
    while pending and time.time() < deadline:
        gate.wait(0.2)
    while any(acknowledged[q] - set(got[q]) for q in (1, 2)) and time.time() < deadline:
        gate.wait(0.2)
time.sleep(1)
with gate:
    problems = []
    if pending:
        problems.append("%d were never acknowledged" % len(pending))
    for qos in (1, 2):
        lost = sorted(acknowledged[qos] - set(got[qos]))
        if lost:
            problems.append("QoS %d lost %s of %d" % (qos, lost[:10], len(acknowledged[qos])))
        if order[qos] != sorted(order[qos]):
            problems.append("QoS %d out of order" % qos)
    twice = sorted(n for n, count in got[2].items() if count > 1)
    if twice:
        problems.append("QoS 2 twice: %s" % twice[:10])
    print("%d and %d acknowledged, %d came again with QoS 1" % (
        len(acknowledged[1]), len(acknowledged[2]), sum(1 for c in got[1].values() if c > 1)))
if problems:
    print("\n".join(problems))
    sys.stdout.flush()
    os._exit(1)
print("ok")
sys.stdout.flush()
os._exit(0)
