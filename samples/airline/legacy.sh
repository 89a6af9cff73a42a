# The three legacy systems: each hears every event once, by the protocol that it speaks. Read by run.sh.

python=/usr/bin/python3

# By MQTT: a session that stays while its system is away.
prepare_legacy() {
    mosquitto_sub -h 127.0.0.1 -p "$mqtt_port" -i legacy-mqtt -c -q 1 -t VirtualTopic/passengers -E
    "$pillarbox" queue create legacy.stomp --address VirtualTopic.passengers --type Multicast --url "$http_url"
}

hear_mqtt() {
    mosquitto_sub -h 127.0.0.1 -p "$mqtt_port" -i legacy-mqtt -c -q 1 -t VirtualTopic/passengers -W 3 || true
}

# By AMQP: what waits in its queue is fetched at the end.
hear_amqp() {
    "$python" - "$amqp_port" <<'PYTHON'
import sys
from proton import Timeout
from proton.utils import BlockingConnection

connection = BlockingConnection(f"amqp://127.0.0.1:{sys.argv[1]}")
receiver = connection.create_receiver("VirtualTopic.passengers::legacy.amqp")
try:
    while True:
        print(receiver.receive(timeout=2).body)
        receiver.accept()
except Timeout:
    connection.close()
PYTHON
}

# By STOMP: the protocol is small enough to be spoken by hand.
hear_stomp() {
    "$python" - "$stomp_port" <<'PYTHON'
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3) as connection:
    connection.sendall(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0"
                       b"SUBSCRIBE\nid:0\ndestination:VirtualTopic.passengers::legacy.stomp\nack:auto\n\n\0")
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except TimeoutError:
        pass
for frame in received.split(b"\0"):
    head, _, body = frame.lstrip(b"\n").partition(b"\n\n")
    if head.startswith(b"MESSAGE"):
        print(body.decode())
PYTHON
}

hear_legacy() {
    booked=$(wc -l <"$work/decisions")
    for system in amqp mqtt stomp; do
        "hear_$system" | sort >"$work/heard.$system"
        sort "$work/decisions" | diff - "$work/heard.$system" \
            || { echo "the $system system did not hear each booking once"; exit 1; }
        echo "the $system system heard all $booked bookings, each once"
    done
}
