"""Starts the clouds, lets them work, cuts one off, joins it again, and checks that nothing is lost. See README.md."""
import collections
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

from clouds import Namespaces, Relays, namespaces_are_permitted

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ["PILLARBOX_BINARY"]
CLOUDS = ["hub", "paris", "osaka"]
PARTITIONS, RATE, PATIENCE = 4, 40, 60
USER, PASSWORD = "gathering", secrets.token_hex(12)
LOGIN = {"PILLARBOX_USER": USER, "PILLARBOX_PASSWORD": PASSWORD}


class Worker:
    """A process in a cloud, and what it has said."""

    def __init__(self, world, cloud, *command):
        self.lines, self.process = [], subprocess.Popen(
            [*world.within(cloud), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **LOGIN})
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, word):
        return [line.split(" ", 1)[1] for line in list(self.lines) if line.startswith(word + " ")]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Show:
    def __init__(self, world, folder):
        self.world, self.folder, self.workers, self.nodes, self.begun = world, folder, [], {}, time.monotonic()
        self.password = os.path.join(folder, "password")
        with open(self.password, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(PASSWORD)

    def tell(self, text):
        print(f"{time.monotonic() - self.begun:5.1f} s  {text}", flush=True)

    def start(self, cloud, *command):
        worker = Worker(self.world, cloud, *command)
        self.workers.append(worker)
        return worker

    def wait(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                for worker in self.workers:
                    print("----", *worker.process.args[:12], *worker.lines[-30:], sep="\n")
                sys.exit(f"FAILED: {what} did not come to be within {PATIENCE} s")
            time.sleep(0.1)

    def node(self, cloud, *peers):
        data = os.path.join(self.folder, cloud)
        self.ask(cloud, PROGRAM, "user", "add", USER, "--role", "admin", "--data", data, told=PASSWORD + "\n")
        settings = [setting for peer in peers for setting in (
            f"router.connectors.{peer}.role=interRouter", f"router.connectors.{peer}.user={USER}",
            f"router.connectors.{peer}.passwordFile={self.password}",
            f"router.connectors.{peer}.addresses.0={self.world.reach(cloud, peer, self.port(peer, 'inter-router'))}")]
        self.nodes[cloud] = self.start(
            cloud, PROGRAM, "run", "--mode", "interior", "--id", cloud, "--data", data,
            "--listen", f"inter-router={self.world.listen(cloud)}", "--listen", "amqp=127.0.0.1:0",
            "--listen", "http=127.0.0.1:0", "--listen", "kafka=127.0.0.1:0",
            *[word for setting in settings for word in ("--set", setting)])
        self.wait(f"the node of {cloud}", lambda: "ready" in self.nodes[cloud].lines)

    def port(self, cloud, protocol):
        return next(line.split()[1] for line in self.nodes[cloud].said("listening") if line.startswith(protocol + " "))

    def url(self, cloud):
        return f"amqp://{USER}:{PASSWORD}@{self.port(cloud, 'amqp')}"

    def ask(self, cloud, *command, told=""):
        done = subprocess.run([*self.world.within(cloud), *command], capture_output=True, text=True, input=told,
                              env={**os.environ, **LOGIN})
        if done.returncode != 0:
            sys.exit(f"FAILED: {command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def site(self, cloud, role, *more):
        return self.start(
            cloud, sys.executable, os.path.join(HERE, "sites.py"), role, self.url(cloud), *map(str, more))

    def reaches(self, cloud, count):
        nodes = json.loads(self.ask(
            cloud, PROGRAM, "router", "nodes", "-o", "json", "--url", f"http://{self.port(cloud, 'http')}"))
        rows = next(value for value in nodes.values() if isinstance(value, list))
        return sum(bool(row.get("nextHop")) for row in rows) == count

    # ---- the story

    def play(self):
        self.tell(f"three clouds as {self.world.how}: hub, paris and osaka, each connected to both others")
        self.node("hub")
        self.node("paris", "hub")
        self.node("osaka", "hub", "paris")
        self.wait("the network", lambda: all(self.reaches(cloud, 3) for cloud in CLOUDS))
        self.ask("hub", PROGRAM, "stream", "create", "events", "--partitions", str(PARTITIONS), "--url",
                 f"http://{self.port('hub', 'http')}")
        self.tell(f"hub gathers in the stream 'events' of {PARTITIONS} partitions; its name is all that the sites know")
        live = self.site("hub", "reader", "live", "next")
        self.wait("the live reader", lambda: live.said("reading"))
        batches = Batches(self)
        apps = [self.site("paris", "capture", "paris", "sale", "shop-1,shop-2,shop-3,shop-4,shop-5", RATE),
                self.site("osaka", "capture", "osaka", "production", "line-1,line-2,line-3,line-4,line-5", RATE)]
        couriers = [self.site(cloud, "courier", cloud) for cloud in ("paris", "osaka")]
        self.tell("paris captures sales, osaka production events, each on the disk of its own node first")
        self.wait("events of both sites", lambda: all(
            sum(f'"{site}-' in record for record in live.said("record")) > 60 for site in ("paris", "osaka")))
        batches.read()

        self.world.cut("osaka")
        self.tell("osaka is CUT OFF: it goes on capturing, and what it has waits there")
        self.wait("the loss of osaka to be seen", lambda: self.reaches("hub", 2) and self.reaches("osaka", 1))
        before = [len(app.said("captured")) for app in apps]
        self.wait("captures at both", lambda: all(
            len(app.said("captured")) >= had + 4 * RATE for app, had in zip(apps, before)))
        self.report(apps, live)
        batches.read()

        self.world.join("osaka")
        self.tell("osaka is BACK")
        self.wait("the network", lambda: all(self.reaches(cloud, 3) for cloud in CLOUDS))
        for app in apps:
            app.tell("enough")
        self.wait("the last captures", lambda: all(app.said("done") for app in apps))
        wanted = {event for app in apps for event in app.said("captured")}
        self.wait("every event at hub", lambda: wanted <= ids(records(live)))
        self.report(apps, live)
        self.wait("empty queues at the sites", lambda: all(self.depth(site) == 0 for site in ("paris", "osaka")))
        batches.read(batches_max=sys.maxsize)

        auditor = self.site("osaka", "reader", "auditor", "first")
        self.wait("the auditor", lambda: len(auditor.said("record")) >= len(batches.records))
        self.tell(f"an auditor at osaka has read the stream of hub from its first record on: "
                  f"{len(auditor.said('record'))} records")
        return self.check(wanted, apps, couriers, live, batches, auditor)

    def depth(self, site):
        shown = self.ask(site, PROGRAM, "queue", "show", f"captured.{site}", "-o", "json", "--url",
                         f"http://{self.port(site, 'http')}")
        return json.loads(shown)["messageCount"]

    def report(self, apps, live):
        gathered = collections.Counter(event.split("-")[0] for event in ids(records(live)))
        for site, app in zip(("paris", "osaka"), apps):
            self.tell(f"    {site}: {len(app.said('captured'))} captured, {gathered[site]} of them at hub")

    def check(self, wanted, apps, couriers, live, batches, auditor):
        faults = []
        for name, seen in (("live", records(live)), ("by batches", batches.records), ("auditor", records(auditor))):
            lost = wanted - ids(seen)
            if lost:
                faults.append(f"{name}: {len(lost)} events are LOST, such as {sorted(lost)[:5]}")
            faults += [f"{name}: {fault}" for fault in order_faults(seen)]
        again = sum(len(courier.said("again")) for courier in couriers)
        twice = len(batches.records) - len(ids(batches.records))
        if twice > again:
            faults.append(f"{twice} events are there twice, but only {again} were sent again")
        self.tell(f"{len(wanted)} events captured, {len(ids(batches.records))} gathered in {len(batches.records)} records; "
                  f"{again} were sent again because nobody knew, {twice} of them are there twice")
        self.tell(f"read at hub live: {len(records(live))}, in {batches.count} batches by offset: {len(batches.records)}; "
                  f"each key in one partition and in order")
        for fault in faults:
            print("FAILED:", fault)
        return not faults

    def end(self):
        for worker in self.workers:
            worker.end()
        self.world.close()


class Batches:
    """At hub: a program that comes by now and then, and reads each partition from where it was, as the stream's other
    protocol does."""

    SIZE = 250

    def __init__(self, show):
        self.show, self.next, self.records, self.count = show, dict.fromkeys(range(PARTITIONS), 0), [], 0

    def read(self, batches_max=1):
        before = len(self.records)
        for partition in range(PARTITIONS):
            for _ in range(batches_max):
                if not self.batch(partition):
                    break
        self.show.tell(f"    read by offset at hub: {len(self.records) - before} further records, "
                       f"next offsets {list(self.next.values())}")

    def kcat(self, *more):
        return self.show.ask(
            "hub", "kcat", "-b", self.show.port("hub", "kafka"), "-X", "security.protocol=SASL_PLAINTEXT",
            "-X", "sasl.mechanism=SCRAM-SHA-256", "-X", f"sasl.username={USER}", "-X", f"sasl.password={PASSWORD}",
            *more).splitlines()

    def batch(self, partition):
        # What is there now: it does not wait for more.
        end = int(self.kcat("-Q", "-t", f"events:{partition}:-1")[-1].split()[-1])
        count = min(self.SIZE, end - self.next[partition])
        lines = [] if count <= 0 else self.kcat(
            "-C", "-q", "-t", "events", "-p", str(partition), "-o", str(self.next[partition]), "-c", str(count), "-e",
            "-f", "%p %o %s\\n")
        for line in lines:
            self.records.append(record(line))
            self.next[partition] = self.records[-1][1] + 1
        self.count += bool(lines)
        return len(lines) == self.SIZE


def record(line):
    partition, offset, body = line.split(" ", 2)
    return int(partition), int(offset), json.loads(body)


def records(reader):
    return [record(line) for line in reader.said("record")]


def ids(seen):
    return {event["id"] for _, _, event in seen}


def order_faults(seen):
    """Offsets grow by one; a key has one partition; of a key each event comes first after those before it."""
    offsets, partitions, numbers = {}, {}, {}
    for partition, offset, event in seen:
        if partition in offsets and offset != offsets[partition] + 1:
            yield f"in partition {partition}, offset {offset} comes after {offsets[partition]}"
        offsets[partition] = offset
        if partitions.setdefault(event["key"], partition) != partition:
            yield f"{event['key']} is in two partitions"
        known = numbers.setdefault(event["key"], [])
        if event["number"] not in known:
            if known and event["number"] < max(known):
                yield f"{event['id']} comes after a later one of {event['key']}"
            known.append(event["number"])


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    world = Namespaces(CLOUDS) if namespaces_are_permitted() else Relays(CLOUDS)
    with tempfile.TemporaryDirectory(prefix="multicloud.") as folder:
        show = Show(world, folder)
        try:
            good = show.play()
        except KeyboardInterrupt:
            sys.exit("ended")
        finally:
            show.end()
    print("ok" if good else "LOST OR OUT OF ORDER")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
