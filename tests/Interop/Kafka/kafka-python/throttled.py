# usage: python3 throttled.py HOST:PORT; the quota of the client id "held-back" is 100,000 bytes a second.
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

PARTITION = TopicPartition("t", 0)


def longest(client, group, name):
    return client.metrics()[group][name]


servers = sys.argv[1]
producer = KafkaProducer(bootstrap_servers=servers, client_id="held-back", linger_ms=0)
waited, end = 0, time.time() + 60
while not waited > 0 and time.time() < end:
    producer.send("t", b"x" * 50000).get(timeout=60)
    waited = longest(producer, "producer-metrics", "produce-throttle-time-max")
assert 0 < waited <= 10000, waited
producer.close()

consumer = KafkaConsumer(
    bootstrap_servers=servers, client_id="held-back", auto_offset_reset="earliest", max_partition_fetch_bytes=100000)
consumer.assign([PARTITION])
last = consumer.end_offsets([PARTITION])[PARTITION]
waited, end = 0, time.time() + 60
consumer.seek_to_beginning()
while not waited > 0 and time.time() < end:
    consumer.poll(timeout_ms=500)
    waited = longest(consumer, "consumer-fetch-manager-metrics", "fetch-throttle-time-max")
    if consumer.position(PARTITION) == last:
        consumer.seek_to_beginning()
assert 0 < waited <= 10000, waited
consumer.close()
print("ok")
