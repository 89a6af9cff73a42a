"""usage: crash.py HOST PORT STOPFILE

Sends and consumes, and says "ready" when that goes. Then the server is killed again and again, until the file is there.
Each number is sent once: one by one, and in transactions of three. Takes what is left, and prints "ok" when nothing that
has a receipt is lost, no transaction is torn, and nothing comes again whose acknowledgement has a receipt."""
import faulthandler
import os
import queue
import sys
import threading
import time

import stomp

HOST, PORT, STOP = sys.argv[1], int(sys.argv[2]), sys.argv[3]
WINDOW = 20
BATCH = 3
RECEIPT_SECONDS = 20
SENT_MIN = 30
gate = threading.Lock()
sure, seen, acknowledged = set(), set(), set()
problems = []
over = threading.Event()


class Link(stomp.ConnectionListener):
    """One connection; it is over when the server is gone."""

    def __init__(self):
        self.messages, self.receipts = queue.Queue(), queue.Queue()
        self.connection = stomp.Connection12([(HOST, PORT)], reconnect_attempts_max=1)
        self.connection.set_listener("", self)
        self.connection.connect("user", "secret", wait=True)

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        with gate:
            problems.append("ERROR: %s" % frame.headers.get("message"))

    def on_disconnected(self):
        self.messages.put(None)
        self.receipts.put(None)

    def frame(self, command, body="", **headers):
        self.connection.send_frame(command, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def close(self):
        try:
            self.connection.disconnect()
        except Exception:
            pass


def linked(work):
    """Works on one connection after the other until the work says that it is done."""
    while True:
        link = None
        try:
            link = Link()
            if work(link):
                return
        except stomp.exception.StompException:
            time.sleep(0.05)
        except OSError:
            time.sleep(0.05)
        finally:
            if link:
                link.close()


def goes_on():
    return not os.path.exists(STOP) or len(sure) < SENT_MIN


def single(link):
    pending = 0
    while goes_on():
        number = next(numbers)
        link.frame("SEND", str(number), destination="/queue/crash", persistent="true", receipt=str(number))
        pending += 1
        while pending >= WINDOW or not link.receipts.empty():
            receipt = link.receipts.get(timeout=RECEIPT_SECONDS)
            if receipt is None:
                return False
            pending -= 1
            with gate:
                sure.add(receipt)
    while pending:
        receipt = link.receipts.get(timeout=RECEIPT_SECONDS)
        if receipt is None:
            return True
        pending -= 1
        with gate:
            sure.add(receipt)
    return True


def batches(link):
    while goes_on():
        batch = next(names)
        link.frame("BEGIN", transaction=batch)
        for i in range(BATCH):
            link.frame("SEND", "%s.%d" % (batch, i), destination="/queue/crash", persistent="true", transaction=batch)
        link.frame("COMMIT", transaction=batch, receipt=batch)
        if link.receipts.get(timeout=RECEIPT_SECONDS) is None:
            return False
        with gate:
            sure.update("%s.%d" % (batch, i) for i in range(BATCH))
    return True


def consume(link):
    link.frame("SUBSCRIBE", destination="/queue/crash", id="s", ack="client-individual")
    quiet = 0
    while quiet < 15:
        try:
            while True:
                receipt = link.receipts.get_nowait()
                if receipt is None:
                    return False
                with gate:
                    acknowledged.add(receipt)
        except queue.Empty:
            pass
        try:
            message = link.messages.get(timeout=0.2)
        except queue.Empty:
            quiet = quiet + 1 if over.is_set() else 0
            continue
        if message is None:
            return False
        quiet = 0
        with gate:
            seen.add(message.body)
            if message.body in acknowledged:
                problems.append("%s comes again" % message.body)
        link.frame("ACK", id=message.headers["ack"], receipt=message.body)
    return True


def counted(prefix):
    number = 0
    while True:
        yield "%s%d" % (prefix, number)
        number += 1


faulthandler.dump_traceback_later(280, exit=True)
numbers, names = counted("n"), counted("t")
reader = threading.Thread(target=linked, args=(consume,))
writers = [threading.Thread(target=linked, args=(work,)) for work in (single, batches)]
for thread in [reader] + writers:
    thread.start()
while not sure or not seen:
    time.sleep(0.02)
print("ready", flush=True)
for thread in writers:
    thread.join()
over.set()
reader.join()
lost = sorted(sure - seen)
if lost:
    problems.append("lost %s" % lost[:10])
whole = {}
for body in seen:
    if body.startswith("t"):
        whole.setdefault(body.split(".")[0], set()).add(body)
torn = sorted(batch for batch, parts in whole.items() if len(parts) != BATCH)
if torn:
    problems.append("torn %s" % torn[:10])
print("%d sent with a receipt, %d seen, %d acknowledged with a receipt" % (len(sure), len(seen), len(acknowledged)))
print("\n".join(problems) if problems else "ok")
sys.stdout.flush()
os._exit(1 if problems else 0)
