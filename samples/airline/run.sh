#!/bin/bash
# The airline: one two-phase transaction over PostgreSQL and Pillarbox, killed at every step. See README.md.
# usage: ./run.sh            AIRLINE_STEPS="1 4" and AIRLINE_VICTIMS="node" do a part of it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
pillarbox=${PILLARBOX_BINARY:-$root/artifacts/bin/Pillarbox.Server/release/pillarbox}
[ -x "$pillarbox" ] || dotnet build "$root/src/Server" -c Release -v q -nologo
work=$(mktemp -d "${TMPDIR:-/tmp}/airline.XXXXXX")
jars=/usr/share/java
classpath=$work/classes
for jar in activemq-client geronimo-jms_1.1_spec geronimo-j2ee-management-1.1-spec geronimo-jta-1.2-spec hawtbuf \
    slf4j-api slf4j-nop postgresql; do classpath=$classpath:$jars/$jar.jar; done
node= booking= subscribers=

# ---- the database: a cluster of its own, in a temporary folder, on a free port of this machine ----

postgres=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

make_database() {
    chmod 755 "$work"; mkdir "$work/pg"; [ "$(id -u)" = 0 ] && chown postgres "$work/pg"
    as_postgres "$postgres/initdb" -D "$work/pg/data" -U airline -A trust >"$work/initdb.log"
    database_port=$(free_port)
    printf '%s\n' "port = $database_port" "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" \
        "max_prepared_transactions = 50" >>"$work/pg/data/postgresql.conf"
    start_database
    as_postgres "$postgres/psql" -q -h 127.0.0.1 -p "$database_port" -U airline -d postgres \
        -c 'create table passengers (name text primary key)'
    export AIRLINE_DATABASE="jdbc:postgresql://127.0.0.1:$database_port/postgres?user=airline"
}
start_database() { as_postgres "$postgres/pg_ctl" -s -w -D "$work/pg/data" -l "$work/pg/log" start; }
# No checkpoint, no goodbye: the next start recovers from the log.
kill_database() { as_postgres "$postgres/pg_ctl" -s -D "$work/pg/data" -m immediate stop; }

# ---- the node ----

start_node() {
    "$pillarbox" run --data "$work/data" --listen "openwire=127.0.0.1:${openwire_port:-0}" \
        --listen "amqp=127.0.0.1:${amqp_port:-0}" --listen mqtt=127.0.0.1:0 --listen stomp=127.0.0.1:0 \
        --listen http=127.0.0.1:0 >"$work/node.log" 2>&1 &
    node=$!
    for _ in $(seq 300); do grep -q '^ready' "$work/node.log" && break; sleep 0.1; done
    grep -q '^ready' "$work/node.log" || { cat "$work/node.log"; exit 1; }
    port_of() { sed -n "s/^listening $1 .*:\([0-9]*\)$/\1/p" "$work/node.log"; }
    openwire_port=$(port_of openwire); amqp_port=$(port_of amqp)
    mqtt_port=$(port_of mqtt); stomp_port=$(port_of stomp)
    http_url=http://127.0.0.1:$(port_of http)
    export AIRLINE_BROKER="tcp://127.0.0.1:$openwire_port"
}
kill_node() { kill -9 "$node"; wait "$node" 2>/dev/null || true; }

# ---- the program ----

airline=(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$classpath" Airline)

end() {
    for process in $booking $subscribers $node; do kill -9 "$process" 2>/dev/null || true; done
    [ -d "$work/pg/data" ] && as_postgres "$postgres/pg_ctl" -s -D "$work/pg/data" -m immediate stop || true
    [ -z "${AIRLINE_KEEP:-}" ] && rm -rf "$work"
}
trap end EXIT

# Books a passenger, kills the victim at a step, brings everything up again, and recovers.
interrupt() {
    local step=$1 victim=$2 passenger="$2-$1"
    rm -f "$work/stdin"; mkfifo "$work/stdin"
    "${airline[@]}" book "$passenger" "$step" <"$work/stdin" >"$work/booking.log" 2>&1 &
    booking=$!
    exec 9>"$work/stdin"
    for _ in $(seq 600); do grep -q '^halted' "$work/booking.log" && break; sleep 0.1; done
    grep -q '^halted' "$work/booking.log" || { cat "$work/booking.log"; exit 1; }
    case $victim in
        program) kill -9 "$booking" ;;
        database) kill_database ;;
        node) kill_node ;;
    esac
    # Who is left goes on, and meets what is gone.
    echo go >&9 2>/dev/null || true; exec 9>&-
    for _ in $(seq 50); do kill -0 "$booking" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$booking" 2>/dev/null || true; wait "$booking" 2>/dev/null || true; booking=
    case $victim in
        database) start_database ;;
        node) start_node ;;
    esac
    echo "$victim killed at $(grep "^step $step:" "$work/booking.log")"
    "${airline[@]}" recover | sed 's/^/    /'
    passengers="$passengers $passenger"
}

passengers=
mkdir "$work/classes"; javac -nowarn -proc:none -cp "$classpath" -d "$work/classes" "$here/Airline.java"
export AIRLINE_DECISIONS=$work/decisions
make_database
start_node
# The legacy systems' queues, and the audit's, are there before the first event.
for queue in Consumer.audit legacy.amqp; do
    name=$queue; [ $queue = Consumer.audit ] && name=Consumer.audit.VirtualTopic.passengers
    "$pillarbox" queue create "$name" --address VirtualTopic.passengers --type Multicast --url "$http_url"
done
. "$here/legacy.sh"
prepare_legacy
for victim in ${AIRLINE_VICTIMS:-program database node}; do
    for step in ${AIRLINE_STEPS:-1 2 3 4 5 6}; do interrupt "$step" "$victim"; done
done
"${airline[@]}" check $passengers
hear_legacy
echo "ok"
