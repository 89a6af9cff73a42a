/* usage: client HOST PORT ADDRESS send|receive COUNT BYTES
 * Sends COUNT durable messages of BYTES bytes and waits until all are accepted, or receives and accepts them and checks
 * number, order and contents. Prints "ok", or what was wrong, and exits 0 or 1. */
#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/proactor.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CREDIT = 100 };

typedef struct {
    const char *address;
    bool sending;
    unsigned long count, bytes, started, finished;
    pn_rwbytes_t encoded;   /* reused between messages */
    char *incoming;         /* a message as far as it has come */
    size_t incoming_length, incoming_capacity;
    char failure[256];
} client_t;

static void fail(client_t *client, const char *text, const char *detail) {
    if (!client->failure[0]) snprintf(client->failure, sizeof client->failure, "%s: %s", text, detail ? detail : "");
}

static char byte_at(unsigned long number, size_t index) { return (char)(number * 31 + index * 7); }

static void send_one(client_t *client, pn_link_t *sender) {
    unsigned long number = client->started++;
    char *body = malloc(client->bytes + 1);
    for (size_t i = 0; i < client->bytes; i++) body[i] = byte_at(number, i);
    pn_message_t *message = pn_message();
    pn_message_set_durable(message, true);
    pn_message_set_inferred(message, true);
    pn_data_put_ulong(pn_message_id(message), number);
    pn_data_put_binary(pn_message_body(message), pn_bytes(client->bytes, body));
    pn_delivery(sender, pn_dtag((const char *)&number, sizeof number));
    if (pn_message_send(message, sender, &client->encoded) < 0) fail(client, "encode", pn_error_text(pn_message_error(message)));
    pn_message_free(message);
    free(body);
}

static void check_message(client_t *client, unsigned long number) {
    pn_message_t *message = pn_message();
    if (pn_message_decode(message, client->incoming, client->incoming_length) < 0) fail(client, "decode", NULL);
    pn_data_t *id = pn_message_id(message);
    pn_data_t *body = pn_message_body(message);
    pn_data_next(id);
    pn_data_next(body);
    pn_bytes_t bytes = pn_data_get_binary(body);
    if (pn_data_get_ulong(id) != number) fail(client, "the order is broken", NULL);
    if (!pn_message_is_durable(message)) fail(client, "the message is not durable any more", NULL);
    if (bytes.size != client->bytes) fail(client, "the size of the body changed", NULL);
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.start[i] != byte_at(number, i)) { fail(client, "a byte of the body changed", NULL); break; }
    pn_message_free(message);
}

/* Takes what is there of a delivery; true when the message is whole. */
static bool collect(client_t *client, pn_delivery_t *delivery) {
    size_t pending = pn_delivery_pending(delivery);
    if (client->incoming_length + pending > client->incoming_capacity) {
        client->incoming_capacity = 2 * (client->incoming_length + pending);
        client->incoming = realloc(client->incoming, client->incoming_capacity);
    }
    ssize_t got = pn_link_recv(pn_delivery_link(delivery), client->incoming + client->incoming_length, pending);
    if (got > 0) client->incoming_length += (size_t)got;
    return !pn_delivery_partial(delivery);
}

static void on_incoming(client_t *client, pn_delivery_t *delivery) {
    if (!pn_delivery_readable(delivery) || !collect(client, delivery)) return;
    pn_link_t *receiver = pn_delivery_link(delivery);
    check_message(client, client->finished++);
    client->incoming_length = 0;
    pn_delivery_update(delivery, PN_ACCEPTED);
    pn_delivery_settle(delivery);
    if (client->finished == client->count) pn_connection_close(pn_session_connection(pn_link_session(receiver)));
    else if (pn_link_credit(receiver) < CREDIT / 2) pn_link_flow(receiver, CREDIT - pn_link_credit(receiver));
}

static void on_outcome(client_t *client, pn_delivery_t *delivery) {
    if (!pn_delivery_updated(delivery) || !pn_delivery_remote_state(delivery)) return;
    if (pn_delivery_remote_state(delivery) != PN_ACCEPTED) fail(client, "a message was not accepted", NULL);
    client->finished++;
    pn_connection_t *connection = pn_session_connection(pn_link_session(pn_delivery_link(delivery)));
    pn_delivery_settle(delivery);
    if (client->finished == client->count) pn_connection_close(connection);
}

static void open_link(client_t *client, pn_connection_t *connection) {
    pn_connection_set_container(connection, "proton-c");
    pn_connection_open(connection);
    pn_session_t *session = pn_session(connection);
    pn_session_open(session);
    pn_link_t *link = client->sending ? pn_sender(session, "link") : pn_receiver(session, "link");
    pn_terminus_set_address(client->sending ? pn_link_target(link) : pn_link_source(link), client->address);
    pn_link_open(link);
    if (!client->sending) pn_link_flow(link, CREDIT);
}

static void on_condition(client_t *client, const char *where, pn_condition_t *condition) {
    if (pn_condition_is_set(condition)) fail(client, where, pn_condition_get_description(condition));
}

/* Returns false when the connection has ended. */
static bool handle(client_t *client, pn_event_t *event) {
    switch (pn_event_type(event)) {
    case PN_CONNECTION_INIT:
        open_link(client, pn_event_connection(event));
        break;
    case PN_LINK_FLOW:
        if (client->sending)
            while (pn_link_credit(pn_event_link(event)) > 0 && client->started < client->count)
                send_one(client, pn_event_link(event));
        break;
    case PN_DELIVERY:
        if (client->sending) on_outcome(client, pn_event_delivery(event));
        else on_incoming(client, pn_event_delivery(event));
        break;
    case PN_LINK_REMOTE_CLOSE:
        on_condition(client, "link", pn_link_remote_condition(pn_event_link(event)));
        pn_connection_close(pn_event_connection(event));
        break;
    case PN_CONNECTION_REMOTE_CLOSE:
        on_condition(client, "connection", pn_connection_remote_condition(pn_event_connection(event)));
        pn_connection_close(pn_event_connection(event));
        break;
    case PN_TRANSPORT_CLOSED:
        on_condition(client, "transport", pn_transport_condition(pn_event_transport(event)));
        break;
    case PN_PROACTOR_INACTIVE:
        return false;
    default:
        break;
    }
    return true;
}

int main(int argc, char **argv) {
    if (argc != 7) return fputs("usage: client HOST PORT ADDRESS send|receive COUNT BYTES\n", stderr), 2;
    client_t client = { .address = argv[3], .sending = strcmp(argv[4], "send") == 0 };
    client.count = strtoul(argv[5], NULL, 10);
    client.bytes = strtoul(argv[6], NULL, 10);
    char address[PN_MAX_ADDR];
    pn_proactor_addr(address, sizeof address, argv[1], argv[2]);
    pn_proactor_t *proactor = pn_proactor();
    pn_proactor_connect2(proactor, NULL, NULL, address);
    for (bool running = true; running;) {
        pn_event_batch_t *batch = pn_proactor_wait(proactor);
        for (pn_event_t *event; running && (event = pn_event_batch_next(batch));) running = handle(&client, event);
        pn_proactor_done(proactor, batch);
    }
    if (client.finished != client.count) fail(&client, "not all messages were finished", NULL);
    puts(client.failure[0] ? client.failure : "ok");
    return client.failure[0] ? 1 : 0;
}
