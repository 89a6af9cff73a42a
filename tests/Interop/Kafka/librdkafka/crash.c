/* usage: crash HOST:PORT ROLE STOPFILE LOGFILE NAME
 *
 * A client of streams that goes on whatever happens to the server, and writes down what it does and sees before and
 * after it does it; HistoryText.cs reads that. Roles: produce (idempotent), transact (transactions, some aborted),
 * pipe (takes from "events", puts into "out", offsets in the same transaction), read (a member of a group). Ends when
 * the stop file is there and nothing is left to do. Lines, all with the time in nanoseconds first behind the letter:
 *   N  begins anew        B  transaction begins   C  commit is asked for   K X U  committed, aborted, nobody knows
 *   S partition value  A partition value offset   F partition value        sent, acknowledged, failed
 *   L partition  P partition offset value         a partition begins anew, a record came
 *   Q partition offset  H  J                      offset is to be committed, was, was not;  T the same in a transaction
 */
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { Partitions = 3, BatchMax = 5, PipeBatchMax = 300, PauseUs = 5000 };

static const char *servers, *stop_file, *name;
static int log_file;
static int number;
static char error_text[512];
static int failed_in_transaction;
static int at_end[Partitions];
static int owned[Partitions];
static int assigned_once;
static int revoked; /* since the transaction began */
static long long next_offset[Partitions]; /* behind what the transaction has read; 0 = nothing */

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* One write a line: what was written stays when this process is killed. */
static void tell(char letter, const char *format, ...) {
    char line[512];
    int size = snprintf(line, sizeof line, "%c %lld", letter, now());
    va_list arguments;
    va_start(arguments, format);
    size += vsnprintf(line + size, sizeof line - size, format, arguments);
    va_end(arguments);
    line[size++] = '\n';
    if (write(log_file, line, size) != size) fail("log: %s", strerror(errno));
}

static int stopping(void) { return access(stop_file, F_OK) == 0; }

static void set(rd_kafka_conf_t *conf, const char *setting, const char *value) {
    if (rd_kafka_conf_set(conf, setting, value, error_text, sizeof error_text)) fail("%s", error_text);
}

static rd_kafka_conf_t *settings(void) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", servers);
    set(conf, "reconnect.backoff.ms", "20");
    set(conf, "reconnect.backoff.max.ms", "200");
    set(conf, "retry.backoff.ms", "50");
    set(conf, "log_level", "0");
    return conf;
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    (void)opaque;
    const char *topic = rd_kafka_topic_name(message->rkt), *value = message->payload;
    if (message->err) {
        failed_in_transaction = 1;
        /* Only what surely never left is a failure. */
        if (rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
            tell('F', " %s/%d %s", topic, message->partition, value);
    } else {
        tell('A', " %s/%d %s %lld", topic, message->partition, value, (long long)message->offset);
    }
}

static rd_kafka_t *new_producer(const char *transactional_id) {
    rd_kafka_conf_t *conf = settings();
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "2");
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (transactional_id) {
        set(conf, "transactional.id", transactional_id);
        set(conf, "transaction.timeout.ms", "10000");
    }
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error_text, sizeof error_text);
    if (!producer) fail("%s", error_text);
    return producer;
}

static void produce(rd_kafka_t *producer, const char *topic, int partition, const char *value) {
    tell('S', " %s/%d %s", topic, partition, value);
    for (;;) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE((void *)value, strlen(value) + 1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            if (error) {
                failed_in_transaction = 1;
                tell('F', " %s/%d %s", topic, partition, value);
            }
            return;
        }
        rd_kafka_poll(producer, 100);
    }
}

static void produce_numbers(void) {
    rd_kafka_t *producer = new_producer(NULL);
    char value[64];
    while (!stopping()) {
        snprintf(value, sizeof value, "%s-%d-%d", name, (int)getpid(), number);
        produce(producer, "events", number++ % Partitions, value);
        rd_kafka_poll(producer, 0);
        usleep(PauseUs);
    }
    rd_kafka_resp_err_t error = rd_kafka_flush(producer, 60000);
    if (error) fail("flush: %s", rd_kafka_err2str(error));
    rd_kafka_destroy(producer);
}

/* A producer that may begin transactions; a fenced or broken one is replaced by a new one. */
static rd_kafka_t *ready_producer(const char *id, rd_kafka_t *old) {
    if (old) rd_kafka_destroy(old);
    for (;;) {
        rd_kafka_t *producer = new_producer(id);
        rd_kafka_error_t *error = rd_kafka_init_transactions(producer, 60000);
        if (!error) return producer;
        rd_kafka_error_destroy(error);
        rd_kafka_destroy(producer);
    }
}

/* Ends the transaction; 0 when the producer is of no use any more. */
static int end_transaction(rd_kafka_t *producer, int commit) {
    rd_kafka_error_t *error = NULL;
    if (commit && !failed_in_transaction) {
        rd_kafka_resp_err_t flushed = rd_kafka_flush(producer, 60000);
        if (!flushed && !failed_in_transaction) {
            tell('C', "");
            for (;;) {
                error = rd_kafka_commit_transaction(producer, 60000);
                if (!error) {
                    tell('K', "");
                    return 1;
                }
                if (!rd_kafka_error_is_retriable(error)) break;
                rd_kafka_error_destroy(error);
            }
            if (!rd_kafka_error_txn_requires_abort(error)) {
                rd_kafka_error_destroy(error);
                tell('U', "");
                return 0;
            }
            rd_kafka_error_destroy(error);
        }
    }
    failed_in_transaction = 1;
    for (;;) {
        error = rd_kafka_abort_transaction(producer, 60000);
        if (!error) {
            tell('X', "");
            return 1;
        }
        int again = rd_kafka_error_is_retriable(error);
        rd_kafka_error_destroy(error);
        if (!again) {
            /* Whether or not the server knows of it: without a commit it can never count. */
            tell('U', "");
            return 0;
        }
    }
}

static int begin_transaction(rd_kafka_t *producer) {
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer);
    if (error) {
        rd_kafka_error_destroy(error);
        return 0;
    }
    failed_in_transaction = 0;
    tell('B', "");
    return 1;
}

/* "t1a" and "t1b" have the same transactional id, and fence each other. */
static void transact(void) {
    char id[32];
    snprintf(id, sizeof id, "tx-%.2s", name);
    rd_kafka_t *producer = ready_producer(id, NULL);
    char value[64];
    while (!stopping()) {
        if (!begin_transaction(producer)) {
            usleep(300000);
            producer = ready_producer(id, producer);
            continue;
        }
        for (int i = 0; i < BatchMax; i++) {
            snprintf(value, sizeof value, "%s-%d-%d", name, (int)getpid(), number++);
            produce(producer, i == 0 ? "log" : "events", i == 0 ? 0 : number % Partitions, value);
            usleep(PauseUs);
        }
        if (!end_transaction(producer, number % 4 != 0)) {
            /* Let the one that replaced this one live for a while. */
            usleep(300000);
            producer = ready_producer(id, producer);
        }
    }
    rd_kafka_destroy(producer);
}

static void on_rebalance(
    rd_kafka_t *consumer, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t *list, void *opaque) {
    (void)opaque;
    int assigns = kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!assigns) revoked = 1;
    else assigned_once = 1;
    for (int i = 0; i < list->cnt; i++) {
        if (assigns) tell('L', " %s/%d", list->elems[i].topic, list->elems[i].partition);
        owned[list->elems[i].partition] = assigns;
        at_end[list->elems[i].partition] = 0;
    }
    rd_kafka_error_t *error = assigns
        ? rd_kafka_incremental_assign(consumer, list)
        : rd_kafka_incremental_unassign(consumer, list);
    if (error) rd_kafka_error_destroy(error);
}

static rd_kafka_t *new_consumer(const char *group) {
    rd_kafka_conf_t *conf = settings();
    set(conf, "group.id", group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "isolation.level", "read_committed");
    set(conf, "session.timeout.ms", "6000");
    set(conf, "heartbeat.interval.ms", "500");
    set(conf, "partition.assignment.strategy", "cooperative-sticky");
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error_text, sizeof error_text);
    if (!consumer) fail("%s", error_text);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, "events", RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer, topics);
    if (error) fail("subscribe: %s", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

/* A record, or NULL: then a partition may have come to its end. */
static rd_kafka_message_t *poll_record(rd_kafka_t *consumer, int wait_ms) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, wait_ms);
    if (!message) return NULL;
    if (message->err) {
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) at_end[message->partition] = 1;
        rd_kafka_message_destroy(message);
        return NULL;
    }
    at_end[message->partition] = 0;
    tell('P', " events/%d %lld %s", message->partition, (long long)message->offset, (char *)message->payload);
    return message;
}

/* Whoever has just come has nothing yet. */
static int all_read(void) {
    if (!assigned_once) return 0;
    for (int i = 0; i < Partitions; i++)
        if (owned[i] && !at_end[i]) return 0;
    return 1;
}

static void commit_positions(rd_kafka_t *consumer) {
    rd_kafka_topic_partition_list_t *list;
    if (rd_kafka_assignment(consumer, &list)) return;
    if (list->cnt > 0 && !rd_kafka_position(consumer, list)) {
        for (int i = list->cnt - 1; i >= 0; i--) {
            if (list->elems[i].offset < 0) rd_kafka_topic_partition_list_del_by_idx(list, i);
            else tell('Q', " events/%d %lld", list->elems[i].partition, (long long)list->elems[i].offset);
        }
        if (list->cnt > 0) {
            rd_kafka_resp_err_t error = rd_kafka_commit(consumer, list, 0);
            int refused = error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION
                || error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
            tell(!error ? 'H' : refused ? 'J' : 'U', "");
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void read_group(void) {
    rd_kafka_t *consumer = new_consumer("readers");
    long long next = now();
    for (;;) {
        int stops = stopping();
        rd_kafka_message_t *message = poll_record(consumer, 100);
        if (message) rd_kafka_message_destroy(message);
        if (now() >= next) {
            commit_positions(consumer);
            next = now() + 200000000;
        }
        if (stops && !message && all_read()) break;
    }
    commit_positions(consumer);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

/* The consumer goes back to what is committed: what was read is not done. */
static void rewind_consumer(rd_kafka_t *consumer) {
    for (int bad = 1; bad; usleep(50000)) {
        rd_kafka_topic_partition_list_t *list;
        if (rd_kafka_assignment(consumer, &list)) continue;
        bad = list->cnt > 0 && rd_kafka_committed(consumer, list, 20000);
        for (int i = 0; i < list->cnt && !bad; i++) {
            bad = list->elems[i].err != 0;
            if (list->elems[i].offset < 0) list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
        }
        if (list->cnt > 0 && !bad) {
            rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer, list, 20000);
            bad = error != NULL;
            if (error) rd_kafka_error_destroy(error);
            for (int i = 0; i < list->cnt && !bad; i++) bad = list->elems[i].err != 0;
        }
        for (int i = 0; i < list->cnt && !bad; i++) {
            tell('L', " %s/%d", list->elems[i].topic, list->elems[i].partition);
            at_end[list->elems[i].partition] = 0;
        }
        rd_kafka_topic_partition_list_destroy(list);
    }
}

static int send_offsets(rd_kafka_t *producer, rd_kafka_t *consumer) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(Partitions);
    for (int i = 0; i < Partitions; i++) {
        if (!next_offset[i]) continue;
        rd_kafka_topic_partition_list_add(list, "events", i)->offset = next_offset[i];
        tell('T', " events/%d %lld", i, next_offset[i]);
    }
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
    int good = 0, again = 1;
    while (!good && again) {
        rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(producer, list, group, 20000);
        good = !error;
        again = error && rd_kafka_error_is_retriable(error);
        if (error) rd_kafka_error_destroy(error);
    }
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    return good;
}

static void pipe_records(void) {
    rd_kafka_t *consumer = new_consumer("pipe");
    rd_kafka_t *producer = ready_producer(name, NULL);
    for (;;) {
        int stops = stopping();
        revoked = 0;
        memset(next_offset, 0, sizeof next_offset);
        rd_kafka_message_t *message = poll_record(consumer, 100);
        if (!message) {
            if (stops && all_read()) break;
            continue;
        }
        if (!begin_transaction(producer)) {
            rd_kafka_message_destroy(message);
            producer = ready_producer(name, producer);
            rewind_consumer(consumer);
            continue;
        }
        for (int i = 0; message; message = ++i < PipeBatchMax ? poll_record(consumer, 5) : NULL) {
            char value[128];
            snprintf(value, sizeof value, "o-%s#%d-%d", (char *)message->payload, (int)getpid(), number++);
            tell('R', " events/%d %lld %s", message->partition, (long long)message->offset, (char *)message->payload);
            produce(producer, "out", message->partition, value);
            next_offset[message->partition] = message->offset + 1;
            rd_kafka_message_destroy(message);
        }
        /* A partition that went to another member meanwhile is read by that one from what is committed. */
        if (revoked || !send_offsets(producer, consumer)) failed_in_transaction = 1;
        if (!end_transaction(producer, 1)) {
            producer = ready_producer(name, producer);
            failed_in_transaction = 1;
        }
        if (failed_in_transaction) rewind_consumer(consumer);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_destroy(producer);
}

int main(int count, char **arguments) {
    if (count != 6) fail("usage: crash HOST:PORT ROLE STOPFILE LOGFILE NAME");
    servers = arguments[1];
    stop_file = arguments[3];
    name = arguments[5];
    log_file = open(arguments[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (log_file < 0) fail("%s: %s", arguments[4], strerror(errno));
    tell('N', "");
    if (!strcmp(arguments[2], "produce")) produce_numbers();
    else if (!strcmp(arguments[2], "transact")) transact();
    else if (!strcmp(arguments[2], "pipe")) pipe_records();
    else if (!strcmp(arguments[2], "read")) read_group();
    else fail("no role %s", arguments[2]);
    puts("ok");
    return 0;
}
