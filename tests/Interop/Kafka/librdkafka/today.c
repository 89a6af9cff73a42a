/* The newest librdkafka: share groups (KIP-932), the consumer protocol (KIP-848), throttling.
   usage: today HOST:PORT SCENARIO TOPIC; exits 0 and prints "ok" when what the server did is right. With PASSWORD in the
   environment, clients log in: as "root", unless they say so otherwise. */
#include <rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *servers;
static char error_text[512];
static long throttles;     /* how often the server said that the client is held back */
static long throttled_ms;  /* and for how long at most */

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

static void on_throttle(rd_kafka_t *client, const char *broker, int32_t id, int milliseconds, void *opaque) {
    if (milliseconds <= 0) return;
    throttles++;
    if (milliseconds > throttled_ms) throttled_ms = milliseconds;
}

/* Settings come as name, value, name, value, NULL. */
static rd_kafka_conf_t *settings(va_list list) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_throttle_cb(conf, on_throttle);
    const char *password = getenv("PASSWORD");
    const char *login[] = {"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "SCRAM-SHA-256",
                           "sasl.username", "root", "sasl.password", password};
    for (int i = 0; password && i < 8; i += 2)
        if (rd_kafka_conf_set(conf, login[i], login[i + 1], error_text, sizeof error_text)) fail("%s", error_text);
    const char *name = "bootstrap.servers", *value = servers;
    while (name) {
        if (rd_kafka_conf_set(conf, name, value, error_text, sizeof error_text)) fail("%s", error_text);
        name = va_arg(list, const char *);
        if (name) value = va_arg(list, const char *);
    }
    return conf;
}

static rd_kafka_t *create(rd_kafka_type_t type, ...) {
    va_list list;
    va_start(list, type);
    rd_kafka_t *made = rd_kafka_new(type, settings(list), error_text, sizeof error_text);
    va_end(list);
    if (!made) fail("%s", error_text);
    if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(made);
    return made;
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

static void produce(rd_kafka_t *producer, const char *topic, int partition, const char *value, size_t size) {
    for (;;) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE((void *)value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) { check("produce", error); return; }
        rd_kafka_poll(producer, 100);
    }
}

static void produce_number(rd_kafka_t *producer, const char *topic, int partition, int number) {
    char value[16];
    produce(producer, topic, partition, value, snprintf(value, sizeof value, "%d", number) + 1);
}

static void flush(rd_kafka_t *producer) {
    check("flush", rd_kafka_flush(producer, 60000));
    if (rd_kafka_outq_len(producer)) fail("%d messages were not delivered", rd_kafka_outq_len(producer));
}

static rd_kafka_topic_partition_list_t *only(const char *topic) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    return topics;
}

static void subscribe(rd_kafka_t *consumer, const char *topic) {
    rd_kafka_topic_partition_list_t *topics = only(topic);
    check("subscribe", rd_kafka_subscribe(consumer, topics));
    rd_kafka_topic_partition_list_destroy(topics);
}

static rd_kafka_share_t *share_consumer(const char *topic, ...) {
    va_list list;
    va_start(list, topic);
    rd_kafka_share_t *made = rd_kafka_share_consumer_new(settings(list), error_text, sizeof error_text);
    va_end(list);
    if (!made) fail("%s", error_text);
    rd_kafka_topic_partition_list_t *topics = only(topic);
    check("share_subscribe", rd_kafka_share_subscribe(made, topics));
    rd_kafka_topic_partition_list_destroy(topics);
    return made;
}

/* Numbers from 0 on: those that 10 divides are rejected, of the others those that 3 divides are given back once. */
enum { Records = 300, Warm = 1000000 };
static int accepted[Records], rejected[Records], released[Records];
static int done, warm;

static void settle(rd_kafka_share_t *consumer, rd_kafka_message_t *message) {
    check("share message", message->err);
    int number = atoi(message->payload), deliveries = rd_kafka_message_delivery_count(message);
    rd_kafka_share_AcknowledgeType_t type = RD_KAFKA_SHARE_ACKNOWLEDGE_TYPE_ACCEPT;
    if (number >= Warm) {
        warm++;
    } else if (number % 10 == 0) {
        type = RD_KAFKA_SHARE_ACKNOWLEDGE_TYPE_REJECT;
        if (rejected[number]++) fail("%d came after it was rejected", number);
        done++;
    } else if (number % 3 == 0 && !released[number]) {
        if (deliveries != 1) fail("%d has been delivered %d times at the first time", number, deliveries);
        type = RD_KAFKA_SHARE_ACKNOWLEDGE_TYPE_RELEASE;
        released[number] = 1;
    } else {
        if (number % 3 == 0 && deliveries != 2) fail("%d was given back and has %d deliveries", number, deliveries);
        if (accepted[number]++) fail("%d came after it was accepted", number);
        done++;
    }
    check("acknowledge", rd_kafka_share_acknowledge_type(consumer, message, type));
}

static void take(rd_kafka_share_t *consumer, int wait_ms) {
    rd_kafka_messages_t *batch = NULL;
    check_error("share_poll", rd_kafka_share_poll(consumer, wait_ms, &batch));
    for (size_t i = 0; i < rd_kafka_messages_count(batch); i++) settle(consumer, rd_kafka_messages_get(batch, i));
    rd_kafka_messages_destroy(batch);
    rd_kafka_topic_partition_list_t *results = NULL;
    check_error("share_commit", rd_kafka_share_commit_sync(consumer, 30000, &results));
    for (int i = 0; results && i < results->cnt; i++) check("commit of a partition", results->elems[i].err);
    if (results) rd_kafka_topic_partition_list_destroy(results);
}

/* Two members share one partition; each record is accepted by one of them, or rejected, once. */
static void share(const char *topic) {
    create_topic(topic, 1);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_share_t *members[2];
    for (int m = 0; m < 2; m++)
        members[m] = share_consumer(topic, "group.id", topic, "share.acknowledgement.mode", "explicit", NULL);
    /* A group begins at the end: what is written before it has begun does not come. */
    time_t end = time(NULL) + 90;
    for (int i = 0; !warm; i++) {
        if (time(NULL) > end) fail("the members get nothing");
        produce_number(producer, topic, 0, Warm + i);
        flush(producer);
        for (int m = 0; m < 2; m++) take(members[m], 200);
    }
    for (int i = 0; i < Records; i++) {
        produce_number(producer, topic, 0, i);
        if (i % 20 == 19) flush(producer);
    }
    flush(producer);
    for (int m = 0; done < Records; m ^= 1) {
        if (time(NULL) > end) fail("only %d of %d records are settled", done, Records);
        take(members[m], 200);
    }
    for (int m = 0; m < 2; m++) take(members[m], 1000);
    for (int i = 0; i < Records; i++)
        if (accepted[i] + rejected[i] != 1) fail("%d was accepted %d and rejected %d times", i, accepted[i], rejected[i]);
    for (int m = 0; m < 2; m++) {
        check_error("share close", rd_kafka_share_consumer_close(members[m]));
        rd_kafka_share_destroy(members[m]);
    }
    rd_kafka_destroy(producer);
}

static int assigned(rd_kafka_t *consumer) {
    rd_kafka_topic_partition_list_t *list = NULL;
    check("assignment", rd_kafka_assignment(consumer, &list));
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static int received;
static int loses_rights; /* Fetches may be under way for what the client may not read any more. */

static void poll_all(rd_kafka_t **consumers, int count) {
    for (int c = 0; c < count; c++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumers[c], 50);
        if (!message) continue;
        if (message->err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || !loses_rights) {
            check("consume", message->err);
            received++;
        }
        rd_kafka_message_destroy(message);
    }
}

static void until_assigned(rd_kafka_t **consumers, int count, int first, int second) {
    for (time_t end = time(NULL) + 90;;) {
        poll_all(consumers, count);
        int a = assigned(consumers[0]), b = count > 1 ? assigned(consumers[1]) : 0;
        if (a == first && b == second) return;
        if (time(NULL) > end) fail("%d and %d partitions are assigned, not %d and %d", a, b, first, second);
    }
}

/* A group grows and shrinks; its members may speak different protocols of groups. */
static void grow_and_shrink(const char *topic, const char *one, const char *other) {
    create_topic(topic, 6);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, NULL);
    for (int i = 0; i < 600; i++) produce_number(producer, topic, i % 6, i);
    flush(producer);
    rd_kafka_t *members[2];
    const char *protocols[] = {one, other};
    for (int m = 0; m < 2; m++) {
        members[m] = !strcmp(protocols[m], "consumer")
            ? create(RD_KAFKA_CONSUMER, "group.id", topic, "group.protocol", "consumer",
                     "auto.offset.reset", "earliest", NULL)
            /* This client ends without a word to its cooperative group: the session must end by itself. */
            : create(RD_KAFKA_CONSUMER, "group.id", topic, "group.protocol", "classic", "session.timeout.ms", "6000",
                     "heartbeat.interval.ms", "1000", "partition.assignment.strategy", "cooperative-sticky",
                     "auto.offset.reset", "earliest", NULL);
        subscribe(members[m], topic);
        if (m == 0) until_assigned(members, 1, 6, 0);
    }
    until_assigned(members, 2, 3, 3);
    for (time_t end = time(NULL) + 60; received < 600;) {
        if (time(NULL) > end) fail("only %d of 600 records came", received);
        poll_all(members, 2);
    }
    check("close", rd_kafka_consumer_close(members[0]));
    rd_kafka_destroy(members[0]);
    until_assigned(members + 1, 1, 6, 0);
    for (int i = 0; i < 60; i++) produce_number(producer, topic, i % 6, i);
    flush(producer);
    for (time_t end = time(NULL) + 60; received < 660;) {
        if (time(NULL) > end) fail("only %d of 660 records came", received);
        poll_all(members + 1, 1);
    }
    for (int i = 0; i < 20; i++) poll_all(members + 1, 1);
    if (received != 660) fail("%d records came, 660 were sent", received);
    check("close", rd_kafka_consumer_close(members[1]));
    rd_kafka_destroy(members[1]);
    rd_kafka_destroy(producer);
}

/* Root lets alice read topics or a group, or not any more. */
static void let_alice_read(rd_kafka_ResourceType_t type, rd_kafka_ResourcePatternType_t pattern, const char *name, int may) {
    rd_kafka_t *client = create(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    if (may) {
        rd_kafka_AclBinding_t *rule = rd_kafka_AclBinding_new(
            type, name, pattern, "User:alice", "*",
            RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, error_text, sizeof error_text);
        rd_kafka_CreateAcls(client, &rule, 1, NULL, queue);
        rd_kafka_AclBinding_destroy(rule);
    } else {
        rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
            type, name, pattern, "User:alice", NULL,
            RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, error_text, sizeof error_text);
        rd_kafka_DeleteAcls(client, &filter, 1, NULL, queue);
        rd_kafka_AclBinding_destroy(filter);
    }
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event) fail("no answer about an ACL");
    check("ACL", rd_kafka_event_error(event));
    if (may) {
        size_t count;
        const rd_kafka_acl_result_t **results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &count);
        if (count != 1) fail("%d ACLs were made", (int)count);
        check_error("CreateAcls", (rd_kafka_error_t *)rd_kafka_acl_result_error(results[0]));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* Alice reads what an expression matches (KIP-848: the server matches it), of topics that she may know of: when she may
   see more, or there is more, it comes; when she may see less, it goes. */
static void expression(const char *topic) {
    char seen[128], later[128], hidden[128], pattern[128];
    snprintf(seen, sizeof seen, "open.%s-a", topic);
    snprintf(later, sizeof later, "open.%s-b", topic);
    snprintf(hidden, sizeof hidden, "shut.%s", topic);
    snprintf(pattern, sizeof pattern, "^(open|shut)\\.%s.*", topic);
    create_topic(seen, 2);
    create_topic(hidden, 3);
    let_alice_read(RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_PATTERN_PREFIXED, "open.", 1);
    let_alice_read(RD_KAFKA_RESOURCE_GROUP, RD_KAFKA_RESOURCE_PATTERN_LITERAL, "open.group", 1);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, NULL);
    for (int i = 0; i < 20; i++) produce_number(producer, seen, i % 2, i);
    for (int i = 0; i < 30; i++) produce_number(producer, hidden, i % 3, i);
    flush(producer);
    rd_kafka_t *alice = create(RD_KAFKA_CONSUMER, "sasl.username", "alice", "group.id", "open.group", "group.protocol",
                               "consumer", "auto.offset.reset", "earliest", NULL);
    subscribe(alice, pattern);
    until_assigned(&alice, 1, 2, 0);
    for (time_t end = time(NULL) + 60; received < 20;) {
        if (time(NULL) > end) fail("only %d of 20 records came", received);
        poll_all(&alice, 1);
    }
    create_topic(later, 1);
    until_assigned(&alice, 1, 3, 0);
    for (int i = 0; i < 20; i++) poll_all(&alice, 1);
    if (received != 20) fail("%d records came, 20 of them were for alice", received);
    let_alice_read(RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_PATTERN_LITERAL, hidden, 1);
    until_assigned(&alice, 1, 6, 0);
    for (time_t end = time(NULL) + 60; received < 50;) {
        if (time(NULL) > end) fail("only %d of 50 records came", received);
        poll_all(&alice, 1);
    }
    loses_rights = 1;
    let_alice_read(RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_PATTERN_LITERAL, hidden, 0);
    until_assigned(&alice, 1, 3, 0);
    check("close", rd_kafka_consumer_close(alice));
    rd_kafka_destroy(alice);
    rd_kafka_destroy(producer);
}

/* An expression that the client knows and the server cannot have, for it refers back: the consumer is told. */
static void wrong_expression(const char *topic) {
    rd_kafka_t *consumer = create(RD_KAFKA_CONSUMER, "group.id", topic, "group.protocol", "consumer", NULL);
    subscribe(consumer, "^(o)pen\\1");
    for (time_t end = time(NULL) + 60;;) {
        if (time(NULL) > end) fail("nobody says that the expression is wrong");
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);
        if (!message) continue;
        printf("%s\n", rd_kafka_message_errstr(message));
        int is_told = message->err == RD_KAFKA_RESP_ERR__FATAL || message->err == RD_KAFKA_RESP_ERR_INVALID_REGULAR_EXPRESSION;
        rd_kafka_message_destroy(message);
        if (is_told) break;
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

/* The quota of the client id "held-back" is 100,000 bytes a second: after ten seconds' worth it is told to wait. */
static void throttled(const char *topic) {
    enum { Bytes = 50000 };
    static char value[Bytes];
    create_topic(topic, 1);
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "client.id", "held-back", "linger.ms", "0", NULL);
    time_t end = time(NULL) + 60;
    while (!throttles) {
        if (time(NULL) > end) fail("nobody holds the writer back");
        produce(producer, topic, 0, value, Bytes);
        check("flush", rd_kafka_flush(producer, 60000));
        rd_kafka_poll(producer, 0);
    }
    if (throttled_ms > 10000) fail("writing: %ld ms", throttled_ms);
    rd_kafka_destroy(producer);
    throttles = throttled_ms = 0;
    rd_kafka_t *consumer = create(
        RD_KAFKA_CONSUMER, "client.id", "held-back", "group.id", topic, "auto.offset.reset", "earliest",
        "enable.partition.eof", "true", "fetch.message.max.bytes", "100000", NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    check("assign", rd_kafka_assign(consumer, list));
    for (end = time(NULL) + 60; !throttles;) {
        if (time(NULL) > end) fail("nobody holds the reader back");
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);
        if (!message) continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) check("again", rd_kafka_assign(consumer, list));
        else check("consume", message->err);
        rd_kafka_message_destroy(message);
    }
    if (throttled_ms > 10000) fail("reading: %ld ms", throttled_ms);
    rd_kafka_topic_partition_list_destroy(list);
    check("close", rd_kafka_consumer_close(consumer));
    rd_kafka_destroy(consumer);
}

#include "admin.h"

int main(int count, char **arguments) {
    if (count != 4) fail("usage: today HOST:PORT SCENARIO TOPIC");
    servers = arguments[1];
    const char *name = arguments[2], *topic = arguments[3];
    if (!strcmp(name, "share")) share(topic);
    else if (!strcmp(name, "consumer_protocol")) grow_and_shrink(topic, "consumer", "consumer");
    else if (!strcmp(name, "cooperative")) grow_and_shrink(topic, "classic", "classic");
    else if (!strcmp(name, "mixed_protocols")) grow_and_shrink(topic, "classic", "consumer");
    else if (!strcmp(name, "expression")) expression(topic);
    else if (!strcmp(name, "wrong_expression")) wrong_expression(topic);
    else if (!strcmp(name, "throttled")) throttled(topic);
    else if (!strcmp(name, "administration")) administration(topic);
    else if (!strcmp(name, "idempotent_write")) idempotent_write(topic);
    else fail("there is no scenario %s", name);
    puts("ok");
    return 0;
}
