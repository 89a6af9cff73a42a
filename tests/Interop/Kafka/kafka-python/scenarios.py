"""What kafka-python, an older client that speaks older versions, must find right."""
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def send(servers, topic, values, **options):
    producer = KafkaProducer(bootstrap_servers=servers, **options)
    sent = [producer.send(topic, **value) for value in values]
    producer.flush()
    found = [s.get(timeout=30) for s in sent]
    producer.close()
    return found


def take(servers, topic, count, **options):
    consumer = KafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest", **options)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    got = []
    end = time.time() + 60
    while len(got) < count and time.time() < end:
        for records in consumer.poll(timeout_ms=500).values():
            got += records
    consumer.close()
    return got


@scenario
def records_come_as_they_went(servers, topic):
    values = [
        {"key": b"k", "value": b"one", "headers": [("h", b"1"), ("h", b"2")], "timestamp_ms": 1700000000000},
        {"key": None, "value": b"two"},
        {"key": b"gone", "value": None},
    ]
    sent = send(servers, topic, values)
    assert [s.offset for s in sent] == [0, 1, 2], sent
    got = take(servers, topic, 3)
    assert [(r.key, r.value) for r in got] == [(v["key"], v["value"]) for v in values], got
    assert got[0].headers == [("h", b"1"), ("h", b"2")], got[0]
    assert got[0].timestamp == 1700000000000, got[0]


@scenario
def every_compression_is_taken_and_given(servers, topic):
    codecs = [None, "gzip", "snappy", "lz4", "zstd"]
    expected = []
    for codec in codecs:
        values = [{"value": b"%s %d" % (str(codec).encode(), i)} for i in range(1000)]
        send(servers, topic, values, compression_type=codec, linger_ms=50)
        expected += [v["value"] for v in values]
    got = take(servers, topic, len(expected))
    assert [r.value for r in got] == expected, (len(got), len(expected))


@scenario
def message_sets_of_old_clients_are_taken_and_given(servers, topic):
    """Versions from before record batches: formats 0 and 1, plain and compressed."""
    expected = []
    for version in [(0, 8, 2), (0, 9), (0, 10), (0, 10, 1)]:
        for codec in [None, "gzip", "snappy"]:
            value = ("%s %s" % (version, codec)).encode()
            values = [{"key": b"k", "value": value + b" %d" % i} for i in range(20)]
            send(servers, topic, values, api_version=version, compression_type=codec, linger_ms=50)
            expected += [v["value"] for v in values]
    for version in [(0, 8, 2), (0, 9), (0, 10), (0, 10, 1), None]:
        got = take(servers, topic, len(expected), api_version=version, group_id=None)
        assert [r.value for r in got] == expected, (version, len(got), len(expected))
        assert [r.offset for r in got] == list(range(len(expected))), version


@scenario
def a_group_goes_on_where_it_was(servers, topic):
    send(servers, topic, [{"value": b"%d" % i} for i in range(50)])

    def read(count):
        consumer = KafkaConsumer(
            topic, bootstrap_servers=servers, group_id="g-" + topic, auto_offset_reset="earliest",
            enable_auto_commit=False, session_timeout_ms=10000)
        got = []
        end = time.time() + 60
        while len(got) < count and time.time() < end:
            for records in consumer.poll(timeout_ms=500, max_records=count - len(got)).values():
                got += records
        consumer.commit()
        consumer.close()
        return [int(r.value) for r in got]

    assert read(30) + read(20) == list(range(50))
    admin = KafkaAdminClient(bootstrap_servers=servers)
    found = admin.list_consumer_group_offsets("g-" + topic)
    assert found[TopicPartition(topic, 0)].offset == 50, found
    assert ("g-" + topic, "consumer") in admin.list_consumer_groups()
    described = admin.describe_consumer_groups(["g-" + topic])[0]
    assert described.state == "Empty", described
    admin.close()


@scenario
def topics_are_administered(servers, topic):
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"retention.ms": "60000"})])
    try:
        admin.create_topics([NewTopic(topic, 2, 1)])
        raise AssertionError("a topic was made twice")
    except TopicAlreadyExistsError:
        pass
    admin.create_partitions({topic: NewPartitions(3)})
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 3
    answer = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    settings = {entry[0]: entry[1] for resource in answer[0].resources for entry in resource[4]}
    assert settings["retention.ms"] == "60000", settings
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "70000"})])
    assert topic in admin.list_topics()
    admin.delete_topics([topic])
    assert topic not in admin.list_topics()
    admin.close()


@scenario
def offsets_are_found_by_time(servers, topic):
    start = int(time.time() * 1000) - 100000
    send(servers, topic, [{"value": b"%d" % i, "timestamp_ms": start + i * 1000} for i in range(10)])
    consumer = KafkaConsumer(bootstrap_servers=servers)
    partition = TopicPartition(topic, 0)
    found = consumer.offsets_for_times({partition: start + 4500})
    assert found[partition].offset == 5, found
    assert consumer.beginning_offsets([partition])[partition] == 0
    assert consumer.end_offsets([partition])[partition] == 10
    consumer.close()


@scenario
def large_records_pass(servers, topic):
    value = bytes(range(256)) * 3900
    send(servers, topic, [{"key": b"%d" % i, "value": value} for i in range(10)], max_request_size=2000000)
    got = take(servers, topic, 10)
    assert [r.key for r in got] == [b"%d" % i for i in range(10)]
    assert all(r.value == value for r in got)


class Member(threading.Thread):
    """A member of a group; a thread of its own, for joining blocks."""

    def __init__(self, servers, topic, seen):
        super().__init__(daemon=True)
        self.servers, self.topic, self.seen = servers, topic, seen
        self.share, self.stops = 0, False
        self.start()

    def run(self):
        consumer = KafkaConsumer(
            self.topic, bootstrap_servers=self.servers, group_id="g-" + self.topic, auto_offset_reset="earliest",
            session_timeout_ms=6000, heartbeat_interval_ms=300, auto_commit_interval_ms=200)
        while not self.stops:
            for records in consumer.poll(timeout_ms=100).values():
                self.seen.update(int(r.value) for r in records)
            self.share = len(consumer.assignment())
        consumer.close()


@scenario
def a_group_grows_and_shrinks_under_load(servers, topic):
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(topic, 6, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=5)
    seen, members, sent = set(), [], 0
    for size in [1, 2, 3, 2, 1]:
        if size > len(members):
            members.append(Member(servers, topic, seen))
        else:
            gone = members.pop(0)
            gone.stops = True
            gone.join()
        end = time.time() + 60
        while [m.share for m in members] != [6 // size] * size:
            assert time.time() < end, (size, [m.share for m in members])
            for _ in range(20):
                producer.send(topic, value=b"%d" % sent, partition=sent % 6)
                sent += 1
            time.sleep(0.05)
    producer.flush()
    end = time.time() + 60
    while len(seen) < sent and time.time() < end:
        time.sleep(0.1)
    assert len(seen) == sent, (len(seen), sent)
    members[0].stops = True
    members[0].join()
    producer.close()
