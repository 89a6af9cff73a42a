# The three legacy systems: each hears every event once, by the protocol that it speaks. Read by run.sh.

python=/usr/bin/python3

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

hear_legacy() {
    booked=$(sort "$work/decisions" | wc -l)
    hear_amqp | sort >"$work/heard.amqp"
    sort "$work/decisions" | diff - "$work/heard.amqp" || { echo "the AMQP system did not hear each booking once"; exit 1; }
    echo "the AMQP system heard all $booked bookings, each once"
}
