"""The requests that the tools of other routers make, sent the way they send them: manage.py SCENARIO URL [URL...].
The URL is that of node A in a line A - B - C."""
import sys
import threading

from proton import Delivery, Message
from proton.utils import BlockingConnection, SyncRequestResponse

from line import Sender

PREFIX = "org.apache.qpid.dispatch."
TIMEOUT = 30


class Agent:
    def __init__(self, url, address="$management"):
        self.connection = BlockingConnection(url, timeout=TIMEOUT)
        self.client = SyncRequestResponse(self.connection, address)

    def call(self, status, body=None, **properties):
        properties = {key: value for key, value in properties.items() if value is not None}
        reply = self.client.call(Message(properties=properties, body=body or {}))
        assert reply.properties["statusCode"] == status, reply
        return reply.body

    def query(self, kind, *names):
        """As the tools do: pages of 500 until one is not full."""
        rows, offset = [], 0
        while True:
            body = self.call(200, {"attributeNames": list(names)}, name="self", type="org.amqp.management",
                             operation="QUERY", entityType=PREFIX + kind, offset=offset, count=500)
            rows += [dict(zip(body["attributeNames"], row)) for row in body["results"]]
            if len(body["results"]) < 500:
                return rows
            offset += 500

    def close(self):
        self.connection.close()


def general(url):
    router = Agent(url).query("router")[0]
    assert router["id"] == "A" and router["mode"] == "interior", router
    assert router["nodeCount"] == 2 and router["uptimeSeconds"] >= 0, router


def nodes(url):
    rows = {row["id"]: row for row in Agent(url).query("router.node", "id", "nextHop", "cost", "linkState", "index")}
    assert sorted(rows) == ["A", "B", "C"], rows
    assert rows["A"]["nextHop"] == "(self)" and rows["C"]["nextHop"] == "B" and rows["C"]["cost"] == 2, rows
    assert sorted(rows["B"]["linkState"]) == ["A", "C"], rows


def other_router(url):
    """C answers to a client of A, and each router has an address that leads to it."""
    addresses = Agent(url).call(200, operation="GET-MGMT-NODES", type="org.amqp.management", name="self")
    found = [Agent(url, address).query("router", "id")[0]["id"] for address in addresses]
    assert found == ["A", "B", "C"], found


def addresses_and_links(url):
    agent = Agent(url)
    receiver = agent.connection.create_receiver("manage.wanted")
    row = [a for a in agent.query("router.address") if a["key"] == "M0manage.wanted"][0]
    assert row["subscriberCount"] == 1 and row["distribution"] == "balanced", row
    links = agent.query("router.link", "owningAddr", "linkDir", "linkType", "connectionId", "identity")
    link = [l for l in links if l["owningAddr"] == "M0manage.wanted"][0]
    assert link["linkDir"] == "out" and link["linkType"] == "endpoint", link
    connection = agent.call(200, operation="READ", type=PREFIX + "connection", identity=link["connectionId"])
    assert connection["role"] == "normal" and connection["opened"], connection
    read = agent.call(200, operation="READ", type=PREFIX + "router.link", identity=link["identity"])
    assert read["owningAddr"] == "M0manage.wanted", read
    receiver.close()


def counters(url):
    """What qdstat -a, -l and -g show of messages that passed."""
    agent = Agent(url)
    before = agent.query("router")[0]
    receiver = agent.connection.create_receiver("manage.counted", credit=20)
    sender = agent.connection.create_sender("manage.counted")
    agent.connection.wait(lambda: sender.link.credit, timeout=TIMEOUT)
    sending = [sender.link.send(Message(body=i)) for i in range(4)]
    for i in range(4):
        receiver.receive(timeout=TIMEOUT)
        receiver.settle([Delivery.ACCEPTED, Delivery.REJECTED, Delivery.RELEASED, Delivery.ACCEPTED][i])
    agent.connection.wait(lambda: all(d.settled or d.remote_state for d in sending), timeout=TIMEOUT)
    address = [a for a in agent.query("router.address") if a["key"] == "M0manage.counted"][0]
    assert address["deliveriesIngress"] == 4 and address["deliveriesEgress"] == 4, address
    links = [l for l in agent.query("router.link") if l["owningAddr"] == "M0manage.counted"]
    assert sorted(l["linkDir"] for l in links) == ["in", "out"], links
    for link in links:
        assert link["deliveryCount"] == 4 and link["acceptedCount"] == 2, link
        assert link["rejectedCount"] == 1 and link["releasedCount"] == 1 and link["unsettledCount"] == 0, link
        assert link["presettledCount"] == 0 and link["undeliveredCount"] == 0, link
    after = agent.query("router")[0]
    assert after["deliveriesIngress"] - before["deliveriesIngress"] >= 4, (before, after)
    assert after["rejectedDeliveries"] - before["rejectedDeliveries"] == 1, (before, after)
    assert agent.query("policy")[0]["connectionsProcessed"] >= 2


def ingress(url, far):
    """A receiver's link counts its deliveries by the router where they entered the network."""
    agent = Agent(url)
    receiver = agent.connection.create_receiver("manage.ingress", credit=20)
    threads = [threading.Thread(target=Sender(where, "manage.ingress", bodies, again=True).run)
               for where, bodies in ((far, ["a", "b"]), (url, ["c"]))]
    for thread in threads:
        thread.start()
    for _ in range(3):
        receiver.receive(timeout=TIMEOUT)
        receiver.accept()
    index = {row["id"]: row["index"] for row in agent.query("router.node", "id", "index")}
    for thread in threads:
        thread.join(TIMEOUT)
    link = [l for l in agent.query("router.link") if l["owningAddr"] == "M0manage.ingress" and l["linkDir"] == "out"][0]
    histogram = link["ingressHistogram"]
    assert histogram[index["C"]] == 2 and histogram[index["A"]] == 1 and sum(histogram) == 3, (histogram, index)


def log_stats(url):
    """The start has been told at the level notice, and nothing went wrong."""
    rows = {row["name"]: row for row in Agent(url).query("logStats")}
    server = rows["logStats/SERVER"]
    assert server["noticeCount"] >= 2 and server["criticalCount"] == 0, server
    assert rows["logStats/MESSAGE"]["infoCount"] == 0, rows["logStats/MESSAGE"]


def create_and_delete(url):
    """As qdmanage makes, shows and removes things."""
    agent = Agent(url)
    kind = PREFIX + "router.config.address"
    made = agent.call(201, {"prefix": "manage.all", "distribution": "multicast"}, operation="CREATE", type=kind,
                      name="manage-all")
    assert made["name"] == "manage-all" and made["distribution"] == "multicast", made
    receivers = [agent.connection.create_receiver("manage.all.x", credit=5, name=name) for name in "ab"]
    sender = agent.connection.create_sender("manage.all.x")
    agent.connection.wait(lambda: sender.link.credit, timeout=TIMEOUT)
    sender.link.send(Message(body="to all"))
    for receiver in receivers:
        assert receiver.receive(timeout=TIMEOUT).body == "to all"
        receiver.accept()
    agent.call(400, {"prefix": "manage.all"}, operation="CREATE", type=kind, name="again")
    agent.call(204, operation="DELETE", type=kind, name="manage-all")
    agent.call(404, operation="DELETE", type=kind, name="manage-all")
    listener = agent.call(201, {"host": "127.0.0.1", "port": "0", "role": "normal"}, operation="CREATE",
                          type=PREFIX + "listener", name="manage-listener")
    other = BlockingConnection("amqp://127.0.0.1:" + listener["port"], timeout=TIMEOUT)
    other.close()
    agent.call(204, operation="DELETE", type=PREFIX + "listener", name="manage-listener")
    vhost = agent.call(201, {"hostname": "manage", "maxConnections": 7}, operation="CREATE", type=PREFIX + "vhost",
                       name="manage")
    assert vhost["maxConnections"] == 7, vhost
    agent.call(200, {"maxConnections": 8}, operation="UPDATE", type=PREFIX + "vhost", name="manage")
    read = agent.call(200, operation="READ", type=PREFIX + "vhost", name="manage")
    assert read["maxConnections"] == 8, read
    agent.call(204, operation="DELETE", type=PREFIX + "vhost", name="manage")


def kill_connection(url):
    agent, victim = Agent(url), BlockingConnection(url, timeout=TIMEOUT)
    name = victim.container.container_id
    row = [c for c in agent.query("connection") if c["container"] == name][0]
    agent.call(200, {"adminStatus": "deleted"}, operation="UPDATE", type=PREFIX + "connection",
               identity=row["identity"])
    try:
        victim.wait(lambda: False, timeout=TIMEOUT)
        raise AssertionError("the connection lives")
    except Exception as end:
        assert "forced" in str(end), repr(end)
    trunk = [c for c in agent.query("connection") if c["role"] == "inter-router"][0]
    agent.call(403, {"adminStatus": "deleted"}, operation="UPDATE", type=PREFIX + "connection",
               identity=trunk["identity"])


def refusals(url):
    agent = Agent(url)
    agent.call(404, operation="QUERY", type="org.amqp.management", name="self", entityType="nonsense")
    agent.call(404, operation="READ", type=PREFIX + "router.link", identity="none")
    agent.call(400, operation="READ", type=PREFIX + "router.link")
    agent.call(400, {"prefix": "a", "distribution": "sideways"}, operation="CREATE",
               type=PREFIX + "router.config.address", name="x")
    agent.call(501, operation="DANCE", type="org.amqp.management", name="self")
    log = agent.call(200, operation="GET-LOG", type="org.amqp.management", name="self", limit=100)
    assert any(line[0] == "ROUTER_HELLO" and "NeighborUp B" in line[2] for line in log), log
    assert len(agent.call(200, operation="GET-TYPES", type="org.amqp.management", name="self")) > 10


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
