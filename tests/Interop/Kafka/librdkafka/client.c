/* usage: client HOST:PORT SCENARIO TOPIC [POINT]; exits 0 and prints "ok" when what the server did is right. */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *servers;
static int is_old; /* speaks as before there were ApiVersions and record batches */
static const char *stops_at = ""; /* the point of a transaction where to wait for a line of input */
static char error_text[512];

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void check(const char *what, rd_kafka_resp_err_t error) {
    if (error) fail("%s: %s", what, rd_kafka_err2str(error));
}

static void check_error(const char *what, rd_kafka_error_t *error) {
    if (error) fail("%s: %s", what, rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    if (rd_kafka_conf_set(conf, name, value, error_text, sizeof error_text)) fail("%s", error_text);
}

/* Settings come as name, value, name, value, NULL. */
static rd_kafka_t *create(rd_kafka_type_t type, ...) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", servers);
    if (is_old) {
        set(conf, "api.version.request", "false");
        set(conf, "broker.version.fallback", "0.9.0.1");
    }
    va_list settings;
    va_start(settings, type);
    for (const char *name; (name = va_arg(settings, const char *)) != NULL;) set(conf, name, va_arg(settings, const char *));
    va_end(settings);
    rd_kafka_t *made = rd_kafka_new(type, conf, error_text, sizeof error_text);
    if (!made) fail("%s", error_text);
    if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(made);
    return made;
}

static void produce(rd_kafka_t *producer, const char *topic, int partition, const char *value, size_t size) {
    for (;;) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE((void *)value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) { check("produce", error); return; }
        rd_kafka_poll(producer, 100);
    }
}

static void flush(rd_kafka_t *producer) {
    check("flush", rd_kafka_flush(producer, 60000));
    if (rd_kafka_outq_len(producer)) fail("%d messages were not delivered", rd_kafka_outq_len(producer));
    rd_kafka_destroy(producer);
}

static void subscribe(rd_kafka_t *consumer, const char *topic) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    check("subscribe", rd_kafka_subscribe(consumer, topics));
    rd_kafka_topic_partition_list_destroy(topics);
}

static void create_topic(const char *topic, int partitions) {
    rd_kafka_t *client = create(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, 1, error_text, sizeof error_text);
    rd_kafka_CreateTopics(client, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event) fail("no answer to CreateTopics");
    check("CreateTopics", rd_kafka_event_error(event));
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* Numbers 0 to count - 1, in order, each once. */
static void expect_numbers_of(const char *group, const char *topic, int count, const char *isolation) {
    rd_kafka_t *consumer = create(
        RD_KAFKA_CONSUMER, "group.id", group, "auto.offset.reset", "earliest", "isolation.level", isolation, NULL);
    subscribe(consumer, topic);
    time_t end = time(NULL) + 90;
    for (int next = 0; next < count;) {
        if (time(NULL) > end) fail("only %d of %d messages came", next, count);
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 500);
        if (!message) continue;
        check("consume", message->err);
        if (atoi(message->payload) != next) fail("message %s came, %d was expected", (char *)message->payload, next);
        next++;
        rd_kafka_message_destroy(message);
    }
    check("close", rd_kafka_consumer_close(consumer));
    rd_kafka_destroy(consumer);
}

static void expect_numbers(const char *topic, int count, const char *isolation) {
    char group[256];
    snprintf(group, sizeof group, "take-%s", topic);
    expect_numbers_of(group, topic, count, isolation);
}

static void send_numbers(rd_kafka_t *producer, const char *topic, int from, int to) {
    char value[16];
    for (int i = from; i < to; i++) {
        int size = snprintf(value, sizeof value, "%d", i) + 1;
        produce(producer, topic, 0, value, size);
    }
}

static void idempotence(const char *topic) {
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "enable.idempotence", "true", "linger.ms", "1", NULL);
    send_numbers(producer, topic, 0, 200000);
    flush(producer);
    expect_numbers(topic, 200000, "read_uncommitted");
}

static void compression(const char *topic) {
    const char *codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (int i = 0; i < 5; i++) {
        rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "compression.codec", codecs[i], NULL);
        send_numbers(producer, topic, i * 2000, (i + 1) * 2000);
        flush(producer);
    }
    expect_numbers(topic, 10000, "read_uncommitted");
}

/* Message sets of the first format go in, plain and compressed, and come out for old readers and for new ones. */
static void old_formats(const char *topic) {
    const char *codecs[] = {"none", "gzip", "snappy"};
    is_old = 1;
    for (int i = 0; i < 3; i++) {
        rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "compression.codec", codecs[i], NULL);
        send_numbers(producer, topic, i * 1000, (i + 1) * 1000);
        flush(producer);
    }
    expect_numbers(topic, 3000, "read_uncommitted");
    is_old = 0;
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "compression.codec", "zstd", NULL);
    send_numbers(producer, topic, 3000, 4000);
    flush(producer);
    char group[256];
    snprintf(group, sizeof group, "again-%s", topic);
    expect_numbers_of(group, topic, 4000, "read_committed");
}

/* Records of nearly 1 MB, in every compression. */
static void large(const char *topic) {
    enum { Bytes = 990000 };
    const char *codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    char *value = malloc(Bytes);
    for (int i = 0; i < 5; i++) {
        for (int b = 0; b < Bytes; b++) value[b] = (char)(b * 7 + b / 251);
        int size = snprintf(value, 16, "%d", i) + 1;
        value[size] = 'x';
        rd_kafka_t *producer = create(
            RD_KAFKA_PRODUCER, "compression.codec", codecs[i], "message.max.bytes", "1048000", NULL);
        produce(producer, topic, 0, value, Bytes);
        flush(producer);
    }
    free(value);
    expect_numbers(topic, 5, "read_uncommitted");
}

/* The first record at least as young as a time is found, and read from. */
static void times(const char *topic) {
    create_topic(topic, 1);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, NULL);
    int64_t start = (int64_t)time(NULL) * 1000 - 100000;
    char value[16];
    for (int i = 0; i < 20; i++) {
        int size = snprintf(value, sizeof value, "%d", i) + 1;
        check("produce", rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(value, size),
            RD_KAFKA_V_TIMESTAMP(start + i * 1000), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
        if (i % 5 == 4) check("flush", rd_kafka_flush(producer, 30000));
    }
    flush(producer);
    rd_kafka_t *consumer = create(RD_KAFKA_CONSUMER, "group.id", topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = start + 12500;
    check("offsets_for_times", rd_kafka_offsets_for_times(consumer, list, 30000));
    if (list->elems[0].offset != 13) fail("offset %d was found, 13 is right", (int)list->elems[0].offset);
    check("assign", rd_kafka_assign(consumer, list));
    rd_kafka_message_t *message = NULL;
    for (time_t end = time(NULL) + 60; !message && time(NULL) < end;) message = rd_kafka_consumer_poll(consumer, 500);
    if (!message || message->err || message->offset != 13) fail("nothing was read at offset 13");
    rd_kafka_message_destroy(message);
    list->elems[0].offset = start + 1000000;
    check("offsets_for_times", rd_kafka_offsets_for_times(consumer, list, 30000));
    if (list->elems[0].offset != RD_KAFKA_OFFSET_END) fail("a time behind all records is not the end");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
}

static void transactions(const char *topic) {
    create_topic(topic, 1);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "transactional.id", topic, NULL);
    check_error("init", rd_kafka_init_transactions(producer, 30000));
    for (int i = 0; i < 40; i++) {
        check_error("begin", rd_kafka_begin_transaction(producer));
        send_numbers(producer, topic, (i + 1) / 2 * 10, (i + 1) / 2 * 10 + 10);
        if (i % 2 == 0) check_error("commit", rd_kafka_commit_transaction(producer, 30000));
        else check_error("abort", rd_kafka_abort_transaction(producer, 30000));
    }
    flush(producer);
    expect_numbers(topic, 200, "read_committed");
}

/* A second producer of the same transactional id fences the first; what the first left open is aborted. */
static void fencing(const char *topic) {
    create_topic(topic, 1);
    rd_kafka_t *first = create(RD_KAFKA_PRODUCER, "transactional.id", topic, NULL);
    check_error("init", rd_kafka_init_transactions(first, 30000));
    check_error("begin", rd_kafka_begin_transaction(first));
    send_numbers(first, topic, 777, 780);
    check("flush", rd_kafka_flush(first, 30000));
    rd_kafka_t *second = create(RD_KAFKA_PRODUCER, "transactional.id", topic, NULL);
    check_error("init", rd_kafka_init_transactions(second, 30000));
    check_error("begin", rd_kafka_begin_transaction(second));
    send_numbers(second, topic, 0, 5);
    check_error("commit", rd_kafka_commit_transaction(second, 30000));
    rd_kafka_error_t *error = rd_kafka_commit_transaction(first, 30000);
    if (!error) fail("the fenced producer could commit");
    if (!rd_kafka_error_is_fatal(error)) fail("not fatal: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    flush(second);
    expect_numbers(topic, 5, "read_committed");
}

static int assigned(rd_kafka_t *consumer) {
    rd_kafka_topic_partition_list_t *list;
    check("assignment", rd_kafka_assignment(consumer, &list));
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static void poll_all(rd_kafka_t **consumers, int count, int *got) {
    for (int i = 0; i < count; i++) {
        if (!consumers[i]) continue;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumers[i], 10);
        if (!message) continue;
        if (!message->err) got[atoi(message->payload)]++;
        rd_kafka_message_destroy(message);
    }
}

/* A group with the cooperative assignor grows to three members and shrinks to one, under load: nothing is lost, all is
   assigned. */
static void cooperative(const char *topic) {
    enum { Partitions = 6, MessagesMax = 200000, Members = 3 };
    create_topic(topic, Partitions);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, NULL);
    char value[16];
    int *got = calloc(MessagesMax, sizeof *got), sent = 0;
    rd_kafka_t *members[Members] = {NULL};
    time_t end = time(NULL) + 90;
    for (int step = 0; step < 2 * Members - 1; step++) {
        int alive = step < Members ? step + 1 : 2 * Members - 1 - step;
        if (step < Members) {
            members[step] = create(
                RD_KAFKA_CONSUMER, "group.id", topic, "auto.offset.reset", "earliest",
                "partition.assignment.strategy", "cooperative-sticky", "session.timeout.ms", "10000", NULL);
            subscribe(members[step], topic);
        } else {
            check("close", rd_kafka_consumer_close(members[alive]));
            rd_kafka_destroy(members[alive]);
            members[alive] = NULL;
        }
        for (int total = 0, fair = 0; !(total == Partitions && fair);) {
            if (time(NULL) > end) fail("step %d: %d partitions are assigned", step, total);
            for (int i = 0; i < 5 && sent < MessagesMax; i++, sent++)
                produce(producer, topic, sent % Partitions, value, snprintf(value, sizeof value, "%d", sent) + 1);
            rd_kafka_poll(producer, 0);
            poll_all(members, Members, got);
            total = 0;
            fair = 1;
            for (int i = 0; i < alive; i++) {
                int own = assigned(members[i]);
                total += own;
                fair &= own == Partitions / alive;
            }
        }
    }
    flush(producer);
    for (int missing = 1; missing;) {
        if (time(NULL) > end) fail("%d of %d messages did not come", missing, sent);
        poll_all(members, Members, got);
        missing = 0;
        for (int i = 0; i < sent; i++) missing += got[i] == 0;
    }
    check("close", rd_kafka_consumer_close(members[0]));
    rd_kafka_destroy(members[0]);
    free(got);
}

/* Somebody may be killed here. */
static void point(const char *name) {
    char line[16];
    printf("at %s\n", name);
    fflush(stdout);
    if (!strcmp(name, stops_at) && !fgets(line, sizeof line, stdin)) exit(1);
}

/* What cannot be committed is aborted. */
static void check_transaction(rd_kafka_t *producer, const char *what, rd_kafka_error_t *error) {
    if (!error) return;
    if (!rd_kafka_error_txn_requires_abort(error)) fail("%s: %s", what, rd_kafka_error_string(error));
    check_error("abort", rd_kafka_abort_transaction(producer, 60000));
    printf("aborted: %s: %s\n", what, rd_kafka_error_string(error));
    exit(0);
}

/* One transaction over two partitions and the offset of a group. */
static void transaction(const char *topic) {
    rd_kafka_t *producer = create(
        RD_KAFKA_PRODUCER, "transactional.id", topic, "reconnect.backoff.max.ms", "500", NULL);
    check_error("init", rd_kafka_init_transactions(producer, 60000));
    point("initialized");
    check_error("begin", rd_kafka_begin_transaction(producer));
    point("begun");
    for (int i = 0; i < 10; i++) produce(producer, topic, i % 2, "x", 1);
    check("flush", rd_kafka_flush(producer, 60000));
    point("sent");
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(topic);
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, "in", 0)->offset = 5;
    check_transaction(producer, "offsets", rd_kafka_send_offsets_to_transaction(producer, offsets, group, 60000));
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(group);
    point("offsets");
    point("committing");
    rd_kafka_error_t *error = rd_kafka_commit_transaction(producer, 60000);
    for (; error && rd_kafka_error_is_retriable(error); error = rd_kafka_commit_transaction(producer, 60000))
        rd_kafka_error_destroy(error);
    check_transaction(producer, "commit", error);
    point("committed");
    rd_kafka_destroy(producer);
}

/* The next producer of the same name: what the last one left open is over. */
static void transaction_end(const char *topic) {
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "transactional.id", topic, NULL);
    check_error("init", rd_kafka_init_transactions(producer, 60000));
    rd_kafka_destroy(producer);
}

int main(int count, char **arguments) {
    static const struct { const char *name; void (*run)(const char *topic); } scenarios[] = {
        {"idempotence", idempotence}, {"compression", compression}, {"transactions", transactions},
        {"fencing", fencing}, {"cooperative", cooperative}, {"old_formats", old_formats}, {"large", large},
        {"times", times}, {"transaction", transaction}, {"transaction_end", transaction_end},
    };
    if (count < 4 || count > 5) fail("usage: client HOST:PORT SCENARIO TOPIC [POINT]");
    servers = arguments[1];
    if (count == 5) stops_at = arguments[4];
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(arguments[2], scenarios[i].name)) continue;
        scenarios[i].run(arguments[3]);
        puts("ok");
        return 0;
    }
    fail("no scenario %s", arguments[2]);
}
