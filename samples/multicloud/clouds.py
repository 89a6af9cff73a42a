"""The clouds: each a network namespace with an address on one wire between them, when that is permitted; else processes
of this machine that reach each other through relays. Either way a cloud can be cut off, and come back."""
import os
import select
import socket
import subprocess
import threading

PORT = 20001


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


def namespaces_are_permitted():
    if os.environ.get("MULTICLOUD_WITHOUT_NAMESPACES") or os.geteuid() != 0:
        return False
    name = f"mc{os.getpid()}t"
    try:
        run("ip", "netns", "add", name)
        run("ip", "netns", "del", name)
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


class Namespaces:
    """Each cloud has a cable to a switch, in a namespace of its own; the host's network is not touched."""

    how = "network namespaces"

    def __init__(self, clouds):
        self.clouds, self.tag = clouds, f"mc{os.getpid()}"
        self.switch = f"{self.tag}s"
        run("ip", "netns", "add", self.switch)
        self.inside(self.switch, "ip", "link", "add", "switch", "type", "bridge")
        self.inside(self.switch, "ip", "link", "set", "switch", "up")
        for number, cloud in enumerate(clouds, 1):
            name = self.name(cloud)
            run("ip", "netns", "add", name)
            run("ip", "link", "add", "wire", "netns", name, "type", "veth", "peer", "name", cloud, "netns", self.switch)
            self.inside(self.switch, "ip", "link", "set", cloud, "master", "switch", "up")
            self.inside(name, "ip", "addr", "add", f"10.77.0.{number}/24", "dev", "wire")
            self.inside(name, "ip", "link", "set", "wire", "up")
            self.inside(name, "ip", "link", "set", "lo", "up")

    def name(self, cloud):
        return f"{self.tag}{cloud[0]}"

    @staticmethod
    def inside(name, *words):
        run("ip", "netns", "exec", name, *words)

    def within(self, cloud):
        return ["ip", "netns", "exec", self.name(cloud)]

    def listen(self, cloud):
        return f"10.77.0.{self.clouds.index(cloud) + 1}:{PORT}"

    def reach(self, from_cloud, cloud, address):
        return address

    def cut(self, cloud):
        self.inside(self.switch, "ip", "link", "set", cloud, "down")

    def join(self, cloud):
        self.inside(self.switch, "ip", "link", "set", cloud, "up")

    def close(self):
        for name in [self.switch, *map(self.name, self.clouds)]:
            run("ip", "netns", "del", name, check=False)


class Relays:
    """One relay for each way from a cloud to another; that of a cloud that is cut off carries nothing, and says so to
    nobody."""

    how = "processes on loopback"

    def __init__(self, clouds):
        self.gone, self.closed, self.servers = set(), False, []

    def within(self, cloud):
        return []

    def listen(self, cloud):
        return "127.0.0.1:0"

    def reach(self, from_cloud, cloud, address):
        server = socket.create_server(("127.0.0.1", 0))
        self.servers.append(server)
        threading.Thread(target=self.serve, args=(server, {from_cloud, cloud}, address), daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    def serve(self, server, ends, address):
        host, port = address.rsplit(":", 1)
        while not self.closed:
            try:
                client, _ = server.accept()
                if ends & self.gone:
                    client.close()
                    continue
                onward = socket.create_connection((host, int(port)))
            except OSError:
                continue
            threading.Thread(target=self.carry, args=(client, onward, ends), daemon=True).start()

    def carry(self, client, onward, ends):
        with client, onward:
            while not self.closed:
                ready, _, _ = select.select([client, onward], [], [], 0.1)
                if ends & self.gone:
                    # What was under way is lost with the connection, as on a cable that is cut.
                    return
                for source in ready:
                    try:
                        data = source.recv(65536)
                        (onward if source is client else client).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return

    def cut(self, cloud):
        self.gone.add(cloud)

    def join(self, cloud):
        self.gone.discard(cloud)

    def close(self):
        self.closed = True
        for server in self.servers:
            server.close()
