"""A router that joins a node, advertises an address, accepts what is sent there and gives it to nobody.
broken.py INTER-ROUTER-URL ADDRESS"""
import sys

from proton.reactor import Container

import peer


class Broken(peer.Router):
    def __init__(self, url):
        super().__init__(url, None)
        # No client of its own is to send.
        self.client, self.is_known, self.has_lost = True, False, False

    def on_control(self, message):
        super().on_control(message)
        if message.properties["opcode"] == "MAR" and not self.is_known:
            self.is_known = True
            print("advertised", flush=True)

    def on_data(self, message):
        if not self.has_lost:
            self.has_lost = True
            print("lost", flush=True)


if __name__ == "__main__":
    peer.ID, peer.ADDRESS = "BROKEN", sys.argv[2]
    Container(Broken(sys.argv[1])).run()
