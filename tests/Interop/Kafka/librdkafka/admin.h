/* The administrator's side of librdkafka, for today.c: each request once as it should be and once as it should not. */

static rd_kafka_t *admin;
static rd_kafka_queue_t *answers;

static void administer(void) {
    admin = create(RD_KAFKA_PRODUCER, NULL);
    answers = rd_kafka_queue_new(admin);
}

static rd_kafka_event_t *answer_to(const char *what) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(answers, 60000);
    if (!event) fail("no answer to %s", what);
    if (rd_kafka_event_error(event)) fail("%s: %s", what, rd_kafka_event_error_string(event));
    return event;
}

static void expect(const char *what, rd_kafka_resp_err_t found, rd_kafka_resp_err_t wanted) {
    if (found != wanted) fail("%s: %s, not %s", what, rd_kafka_err2name(found), rd_kafka_err2name(wanted));
}

static void expect_number(const char *what, long long found, long long wanted) {
    if (found != wanted) fail("%s: %lld, not %lld", what, found, wanted);
}

static void grow(const char *topic, int partitions, rd_kafka_resp_err_t wanted) {
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(topic, partitions, error_text, sizeof error_text);
    if (!more) fail("%s", error_text);
    rd_kafka_CreatePartitions(admin, &more, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("CreatePartitions");
    size_t count;
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);
    expect("CreatePartitions", rd_kafka_topic_result_error(results[0]), wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(more);
}

static void configure(const char *topic, const char *name, rd_kafka_AlterConfigOpType_t operation, const char *value,
                      rd_kafka_resp_err_t wanted, const char *words) {
    rd_kafka_ConfigResource_t *change = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    check_error("change", rd_kafka_ConfigResource_add_incremental_config(change, name, operation, value));
    rd_kafka_IncrementalAlterConfigs(admin, &change, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("IncrementalAlterConfigs");
    size_t count;
    const rd_kafka_ConfigResource_t **results = rd_kafka_IncrementalAlterConfigs_result_resources(
        rd_kafka_event_IncrementalAlterConfigs_result(event), &count);
    const char *text = rd_kafka_ConfigResource_error_string(results[0]);
    expect(name, rd_kafka_ConfigResource_error(results[0]), wanted);
    if (words && !strstr(text ? text : "", words)) fail("%s: '%s' does not say '%s'", name, text, words);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(change);
}

static void expect_setting(const char *topic, const char *name, const char *wanted) {
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_DescribeConfigs(admin, &resource, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("DescribeConfigs");
    size_t count, entries;
    const rd_kafka_ConfigResource_t **results = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    check("DescribeConfigs", rd_kafka_ConfigResource_error(results[0]));
    const rd_kafka_ConfigEntry_t **all = rd_kafka_ConfigResource_configs(results[0], &entries);
    const char *found = "(missing)";
    for (size_t i = 0; i < entries; i++)
        if (!strcmp(rd_kafka_ConfigEntry_name(all[i]), name)) found = rd_kafka_ConfigEntry_value(all[i]);
    if (strcmp(found, wanted)) fail("%s is %s, not %s", name, found, wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
}

static void expect_partitions(const char *topic, int wanted) {
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(&topic, 1);
    rd_kafka_DescribeTopics(admin, topics, NULL, answers);
    rd_kafka_event_t *event = answer_to("DescribeTopics");
    size_t count, partitions;
    const rd_kafka_TopicDescription_t **results = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(event), &count);
    check_error("DescribeTopics", (rd_kafka_error_t *)rd_kafka_TopicDescription_error(results[0]));
    rd_kafka_TopicDescription_partitions(results[0], &partitions);
    expect_number("partitions", partitions, wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_TopicCollection_destroy(topics);
}

static void expect_cluster(void) {
    rd_kafka_DescribeCluster(admin, NULL, answers);
    rd_kafka_event_t *event = answer_to("DescribeCluster");
    const rd_kafka_DescribeCluster_result_t *cluster = rd_kafka_event_DescribeCluster_result(event);
    size_t nodes;
    rd_kafka_DescribeCluster_result_nodes(cluster, &nodes);
    expect_number("nodes", nodes, 1);
    if (!rd_kafka_DescribeCluster_result_controller(cluster)) fail("there is no controller");
    rd_kafka_event_destroy(event);
}

static void expect_offset(const char *topic, int partition, rd_kafka_OffsetSpec_t specification, long long wanted) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = specification;
    rd_kafka_ListOffsets(admin, list, NULL, answers);
    rd_kafka_event_t *event = answer_to("ListOffsets");
    size_t count;
    const rd_kafka_ListOffsetsResultInfo_t **results = rd_kafka_ListOffsets_result_infos(
        rd_kafka_event_ListOffsets_result(event), &count);
    const rd_kafka_topic_partition_t *found = rd_kafka_ListOffsetsResultInfo_topic_partition(results[0]);
    check("ListOffsets", found->err);
    expect_number("offset", found->offset, wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete_records(const char *topic, int partition, int64_t before, rd_kafka_resp_err_t wanted) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = before;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(admin, &records, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("DeleteRecords");
    expect("DeleteRecords", rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))->elems[0].err,
           wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete_group(const char *group, rd_kafka_resp_err_t wanted) {
    rd_kafka_DeleteGroup_t *deletion = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(admin, &deletion, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("DeleteGroups");
    size_t count;
    const rd_kafka_group_result_t **results = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event), &count);
    const rd_kafka_error_t *error = rd_kafka_group_result_error(results[0]);
    expect("DeleteGroups", error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR, wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteGroup_destroy(deletion);
}

static void expect_group(const char *group, rd_kafka_consumer_group_state_t state, int members) {
    rd_kafka_DescribeConsumerGroups(admin, &group, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("DescribeConsumerGroups");
    size_t count;
    const rd_kafka_ConsumerGroupDescription_t **results = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    check_error("group", (rd_kafka_error_t *)rd_kafka_ConsumerGroupDescription_error(results[0]));
    expect_number("state", rd_kafka_ConsumerGroupDescription_state(results[0]), state);
    expect_number("members", rd_kafka_ConsumerGroupDescription_member_count(results[0]), members);
    rd_kafka_event_destroy(event);
}

static void alter_offset(const char *group, const char *topic, int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    rd_kafka_AlterConsumerGroupOffsets_t *change = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(admin, &change, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("AlterConsumerGroupOffsets");
    size_t count;
    const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    check("AlterConsumerGroupOffsets", rd_kafka_group_result_partitions(results[0])->elems[0].err);
    rd_kafka_event_destroy(event);
    rd_kafka_AlterConsumerGroupOffsets_destroy(change);
    rd_kafka_topic_partition_list_destroy(list);
}

/* How many offsets a group has; of partition 0 it must be this one, unless that is to be missing (-1). */
static void expect_offsets(const char *group, int partitions, int64_t first) {
    rd_kafka_ListConsumerGroupOffsets_t *which = rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(admin, &which, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("ListConsumerGroupOffsets");
    size_t count;
    const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(results[0]);
    expect_number("committed partitions", list->cnt, partitions);
    int64_t found = -1;
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].partition == 0) found = list->elems[i].offset;
    expect_number("committed offset", found, first);
    rd_kafka_event_destroy(event);
    rd_kafka_ListConsumerGroupOffsets_destroy(which);
}

static void delete_offset(const char *group, const char *topic) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_DeleteConsumerGroupOffsets_t *deletion = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    rd_kafka_DeleteConsumerGroupOffsets(admin, &deletion, 1, NULL, answers);
    rd_kafka_event_destroy(answer_to("DeleteConsumerGroupOffsets"));
    rd_kafka_DeleteConsumerGroupOffsets_destroy(deletion);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete_topic(const char *topic, rd_kafka_resp_err_t wanted) {
    rd_kafka_DeleteTopic_t *deletion = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(admin, &deletion, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("DeleteTopics");
    size_t count;
    const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event), &count);
    expect("DeleteTopics", rd_kafka_topic_result_error(results[0]), wanted);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(deletion);
}

/* A member reads all that is left and commits; meanwhile and afterwards the group is looked at. */
static void administer_group(const char *topic, const char *protocol) {
    char group[256];
    snprintf(group, sizeof group, "%s-%s", topic, protocol);
    rd_kafka_t *member = create(
        RD_KAFKA_CONSUMER, "group.id", group, "group.protocol", protocol, "auto.offset.reset", "earliest",
        "enable.auto.commit", "false", NULL);
    subscribe(member, topic);
    time_t end = time(NULL) + 120;
    for (int left = 14; left > 0;) {
        if (time(NULL) > end) fail("%s: %d records are missing", protocol, left);
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member, 500);
        if (!message) continue;
        check("consume", message->err);
        rd_kafka_message_destroy(message);
        left--;
    }
    check("commit", rd_kafka_commit(member, NULL, 0));
    expect_group(group, RD_KAFKA_CONSUMER_GROUP_STATE_STABLE, 1);
    delete_group(group, RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP);
    check("close", rd_kafka_consumer_close(member));
    rd_kafka_destroy(member);
    expect_group(group, RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY, 0);
    expect_offsets(group, 4, 4);
    alter_offset(group, topic, 3);
    expect_offsets(group, 4, 3);
    delete_offset(group, topic);
    expect_offsets(group, 3, -1);
    delete_group(group, RD_KAFKA_RESP_ERR_NO_ERROR);
    expect_group(group, RD_KAFKA_CONSUMER_GROUP_STATE_DEAD, 0);
}

static void administration(const char *topic) {
    const char *own = "__consumer_offsets";
    administer();
    create_topic(topic, 3);
    grow(topic, 5, RD_KAFKA_RESP_ERR_NO_ERROR);
    grow(topic, 2, RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
    expect_partitions(topic, 5);
    expect_cluster();
    configure(topic, "cleanup.policy", RD_KAFKA_ALTER_CONFIG_OP_TYPE_APPEND, "compact", 0, NULL);
    expect_setting(topic, "cleanup.policy", "delete,compact");
    configure(topic, "cleanup.policy", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SUBTRACT, "compact", 0, NULL);
    configure(topic, "retention.ms", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, "x", RD_KAFKA_RESP_ERR_INVALID_CONFIG, "'x'");
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "enable.idempotence", "true", NULL);
    for (int i = 0; i < 20; i++) produce_number(producer, topic, i % 5, i);
    flush(producer);
    rd_kafka_destroy(producer);
    expect_offset(topic, 0, RD_KAFKA_OFFSET_SPEC_EARLIEST, 0);
    expect_offset(topic, 1, RD_KAFKA_OFFSET_SPEC_LATEST, 4);
    delete_records(topic, 0, 2, RD_KAFKA_RESP_ERR_NO_ERROR);
    delete_records(topic, 1, RD_KAFKA_OFFSET_END, RD_KAFKA_RESP_ERR_NO_ERROR);
    delete_records(topic, 0, 99, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    expect_offset(topic, 0, RD_KAFKA_OFFSET_SPEC_EARLIEST, 2);
    administer_group(topic, "classic");
    administer_group(topic, "consumer");
    configure(own, "segment.ms", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, "3600000", 0, NULL);
    configure(own, "cleanup.policy", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, "delete", RD_KAFKA_RESP_ERR_INVALID_CONFIG,
              "the node's own stream");
    expect_setting(own, "cleanup.policy", "compact");
    delete_topic(own, RD_KAFKA_RESP_ERR_INVALID_REQUEST);
    delete_topic(topic, RD_KAFKA_RESP_ERR_NO_ERROR);
    delete_topic(topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_queue_destroy(answers);
    rd_kafka_destroy(admin);
}

/* The fatal error of an idempotent producer of alice, who may write nowhere. */
static void expect_idempotence(const char *topic, rd_kafka_resp_err_t wanted) {
    rd_kafka_t *producer = create(RD_KAFKA_PRODUCER, "enable.idempotence", "true", "sasl.username", "alice", NULL);
    produce_number(producer, topic, 0, 1);
    rd_kafka_resp_err_t error = 0;
    for (time_t end = time(NULL) + 60; !error && rd_kafka_outq_len(producer) && time(NULL) < end;) {
        rd_kafka_poll(producer, 100);
        error = rd_kafka_fatal_error(producer, error_text, sizeof error_text);
    }
    expect("idempotent producer", error, wanted);
    rd_kafka_destroy(producer);
}

static void idempotent_write(const char *topic) {
    administer();
    create_topic(topic, 1);
    /* Who may not know of the topic hears that first. */
    let_alice_read(RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_PATTERN_LITERAL, topic, 1);
    expect_idempotence(topic, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    rd_kafka_AclBinding_t *rule = rd_kafka_AclBinding_new(
        RD_KAFKA_RESOURCE_BROKER, "kafka-cluster", RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:alice", "*",
        RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, error_text, sizeof error_text);
    rd_kafka_CreateAcls(admin, &rule, 1, NULL, answers);
    rd_kafka_event_t *event = answer_to("CreateAcls");
    size_t count;
    const rd_kafka_acl_result_t **results = rd_kafka_CreateAcls_result_acls(
        rd_kafka_event_CreateAcls_result(event), &count);
    check_error("CreateAcls", (rd_kafka_error_t *)rd_kafka_acl_result_error(results[0]));
    rd_kafka_event_destroy(event);
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_BROKER, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, "User:alice", NULL,
        RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, error_text, sizeof error_text);
    rd_kafka_DescribeAcls(admin, filter, NULL, answers);
    event = answer_to("DescribeAcls");
    rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), &count);
    expect_number("rules", count, 1);
    rd_kafka_event_destroy(event);
    expect_idempotence(topic, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_AclBinding_destroy(filter);
    rd_kafka_AclBinding_destroy(rule);
    rd_kafka_queue_destroy(answers);
    rd_kafka_destroy(admin);
}
