/* usage: oauth HOST:PORT TOPIC SECONDS TOKEN...; sends and takes messages for so long, logged in with the tokens one
 * after another as the library asks for them. Without a token it makes unsecured ones itself, which no server should
 * take. Exits 0 and prints "ok" when every message was delivered; else 1 with the reason. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKENS_MAX 8

static char *tokens[TOKENS_MAX];
static int token_count;
static int token_next;
static int delivered;
static char error_text[512];

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* The expiry is told to the library: it asks again before. It stands in the argument, before the token: MS:TOKEN. */
static void refresh(rd_kafka_t *client, const char *config, void *opaque) {
    (void)config;
    (void)opaque;
    char *argument = tokens[token_next < token_count - 1 ? token_next++ : token_count - 1];
    char *token = strchr(argument, ':') + 1;
    if (rd_kafka_oauthbearer_set_token(client, token, atoll(argument), "anybody", NULL, 0, error_text,
                                       sizeof error_text))
        fail("set_token", error_text);
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque) {
    (void)client;
    (void)opaque;
    if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) fail("authentication", reason);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    (void)opaque;
    if (message->err) fail("delivery", rd_kafka_err2str(message->err));
    delivered++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    if (rd_kafka_conf_set(conf, name, value, error_text, sizeof error_text)) fail(name, error_text);
}

int main(int count, char **arguments) {
    if (count < 4) fail("usage", "oauth HOST:PORT TOPIC SECONDS TOKEN...");
    for (int i = 4; i < count && token_count < TOKENS_MAX; i++) tokens[token_count++] = arguments[i];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", arguments[1]);
    set(conf, "security.protocol", "SASL_PLAINTEXT");
    set(conf, "sasl.mechanism", "OAUTHBEARER");
    if (token_count > 0) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, refresh);
    } else {
        set(conf, "enable.sasl.oauthbearer.unsecure.jwt", "true");
        set(conf, "sasl.oauthbearer.config", "principal=root");
    }
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    set(conf, "message.timeout.ms", "20000");
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error_text, sizeof error_text);
    if (!producer) fail("new", error_text);
    int sent = 0;
    for (time_t end = time(NULL) + atoi(arguments[3]); sent == 0 || time(NULL) < end; sent++) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(arguments[2]), RD_KAFKA_V_VALUE("hello", 5), RD_KAFKA_V_END);
        if (error) fail("produce", rd_kafka_err2str(error));
        rd_kafka_poll(producer, 100);
    }
    if (rd_kafka_flush(producer, 30000)) fail("flush", "messages are left");
    if (delivered != sent) fail("delivered", "not every message");
    rd_kafka_destroy(producer);
    printf("tokens used: %d\nok\n", token_next + 1);
    return 0;
}
