"""usage: login.py JSON: connects as told, sends a message to the address and takes it back, prints "ok".

{"url", "address", "mechanism"} and as wanted {"user", "password", "ca", "certificate", "key", "host"}. What the server or TLS
refuses is printed as "refused: ..."; the exit code is 1 then.
"""
import json
import sys

from proton import Message, SSLDomain
from proton.utils import BlockingConnection


def tls(given):
    domain = SSLDomain(SSLDomain.MODE_CLIENT)
    domain.set_trusted_ca_db(given["ca"])
    domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
    if "certificate" in given:
        domain.set_credentials(given["certificate"], given["key"], None)
    return domain


def talk(given):
    connection = BlockingConnection(
        given["url"], timeout=20, ssl_domain=tls(given) if "ca" in given else None, virtual_host=given.get("host"),
        allowed_mechs=given["mechanism"], user=given.get("user"), password=given.get("password"), sasl_enabled=True)
    connection.create_sender(given["address"]).send(Message(body="hello", durable=True))
    receiver = connection.create_receiver(given["address"])
    assert receiver.receive(timeout=20).body == "hello"
    receiver.accept()
    connection.close()


try:
    talk(json.loads(sys.argv[1]))
    print("ok", flush=True)
except Exception as refused:  # whatever class Proton chose for it
    print(f"refused: {type(refused).__name__} {refused}", flush=True)
    sys.exit(1)
