using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>ACLs: rules of the node's authorizer, for every kind of resource, kept on disk, no way around denials.
/// </summary>
public sealed class AclTests
{
    private const sbyte Any = 1;
    private const sbyte Match = 2;
    private const sbyte Literal = 3;
    private const sbyte Prefixed = 4;
    private const sbyte Topic = 2;
    private const sbyte Group = 3;
    private const sbyte Cluster = 4;
    private const sbyte TransactionalId = 5;
    private const sbyte All = 2;
    private const sbyte Read = 3;
    private const sbyte Write = 4;
    private const sbyte Create = 5;
    private const sbyte Describe = 8;
    private const sbyte IdempotentWrite = 12;
    private const sbyte Deny = 2;
    private const sbyte Allow = 3;

    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false };

    private static readonly SecurityConfig Admins = new()
    {
        Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["#"] = new Dictionary<string, Permission> { ["admin"] = (Permission)4095 },
        },
    };

    [Fact]
    public async Task A_rule_lets_a_user_write_and_another_takes_it_away()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await admin.CreateTopicAsync("orders.eu");
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(alice, "orders.eu"));
        await AddAsync(admin, Acl(Topic, "orders.", Prefixed, "User:alice", Write));
        Assert.Equal(ErrorCode.None, await ProduceAsync(alice, "orders.eu"));
        await AddAsync(admin, Acl(Topic, "orders.eu", Literal, "User:*", Write, Deny));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(alice, "orders.eu"));
        Assert.Equal(ErrorCode.None, await ProduceAsync(admin, "orders.eu"));
    }

    [Fact]
    public async Task What_is_allowed_on_a_group_or_a_transaction_is_not_allowed_on_a_topic_of_that_name()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await admin.CreateTopicAsync("x");
        await AddAsync(admin, Acl(Group, "x", Literal, "User:alice", Read));
        await AddAsync(admin, Acl(TransactionalId, "x", Literal, "User:alice", Write));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(alice, "x"));
        Assert.Equal(ErrorCode.None, await CoordinatorAsync(alice, 0, "x"));
        Assert.Equal(ErrorCode.None, await CoordinatorAsync(alice, 1, "x"));
        Assert.Equal(ErrorCode.GroupAuthorizationFailed, await CoordinatorAsync(alice, 0, "y"));
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, await CoordinatorAsync(alice, 1, "y"));
    }

    [Fact]
    public async Task Who_may_only_describe_a_group_sees_it_and_cannot_join()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await AddAsync(admin, Acl(Group, "g", Literal, "User:alice", Describe));
        Assert.Equal(ErrorCode.None, await CoordinatorAsync(alice, 0, "g"));
        HeartbeatResponse beat = await alice.AskAsync<HeartbeatRequest, HeartbeatResponse>(
            new() { GroupId = "g", MemberId = "m" }, 4);
        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, beat.ErrorCode);
        DescribeGroupsResponse seen = await alice.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
            new() { Groups = ["g", "h"] }, 5);
        Assert.NotEqual((short)ErrorCode.GroupAuthorizationFailed, seen.Groups[0].ErrorCode);
        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, seen.Groups[1].ErrorCode);
    }

    [Fact]
    public async Task Who_may_create_on_the_cluster_may_make_any_topic()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await AddAsync(admin, Acl(Cluster, "kafka-cluster", Literal, "User:alice", Create));
        await alice.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await ProduceAsync(alice, "t"));
    }

    /// <summary>Old clients' users and their tools bring this rule along; who may write somewhere needs none.</summary>
    [Fact]
    public async Task Who_may_write_idempotently_is_shown_kept_and_asked()
    {
        var files = new Storage.MemoryFileSystem();
        await using (var before = new KafkaScene(MustLogIn, Admins, files))
        {
            KafkaPeer root = await before.ConnectAsync("root", "admin");
            KafkaPeer ann = await before.ConnectAsync("ann");
            Assert.Equal(ErrorCode.ClusterAuthorizationFailed, await InitAsync(ann));
            await AddAsync(root, Acl(Cluster, "kafka-cluster", Literal, "User:ann", IdempotentWrite));
            Assert.Equal(1, await CountAsync(root, Cluster, "kafka-cluster", Literal, "User:ann"));
            Assert.Equal(ErrorCode.None, await InitAsync(ann));
        }

        await using var scene = new KafkaScene(MustLogIn, Admins, files);
        (KafkaPeer admin, KafkaPeer alice) = (scene.Connect(), scene.Connect());
        await admin.LogInAsync("root");
        await alice.LogInAsync("ann");
        Assert.Equal(ErrorCode.None, await InitAsync(alice));
        DescribeClusterResponse cluster = await alice.AskAsync<DescribeClusterRequest, DescribeClusterResponse>(
            new() { IncludeClusterAuthorizedOperations = true }, 0);
        Assert.Equal(1 << IdempotentWrite, cluster.ClusterAuthorizedOperations & (1 << IdempotentWrite));
        await AddAsync(admin, Acl(Cluster, "kafka-cluster", Literal, "User:*", IdempotentWrite, Deny));
        Assert.Equal(ErrorCode.ClusterAuthorizationFailed, await InitAsync(alice));
        await AddAsync(admin, Acl(Topic, "orders.", Prefixed, "User:ann", Write));
        Assert.Equal(ErrorCode.None, await InitAsync(alice));
        await AddAsync(admin, Acl(Topic, "*", Literal, "User:ann", Write, Deny));
        Assert.Equal(ErrorCode.ClusterAuthorizationFailed, await InitAsync(alice));
        Assert.Equal(ErrorCode.None, await InitAsync(admin));
    }

    [Fact]
    public async Task Rules_are_there_after_a_restart_and_count_for_the_whole_node()
    {
        var files = new Storage.MemoryFileSystem();
        await using (var before = new KafkaScene(MustLogIn, Admins, files))
        {
            KafkaPeer admin = await before.ConnectAsync("root", "admin");
            await AddAsync(admin, Acl(Topic, "a", Literal, "User:alice", Read));
            await AddAsync(admin, Acl(Topic, "b", Literal, "Role:team", All));
        }

        await using var scene = new KafkaScene(MustLogIn, Admins, files);
        var alice = new Model.Identity("alice", [], IsAnonymous: false);
        var bob = new Model.Identity("bob", ["team"], IsAnonymous: false);
        Authorizer authorizer = scene.Broker.Authorizer;
        Assert.True(authorizer.IsAllowed(alice, Permission.Consume, "default", new("a", null)));
        Assert.True(authorizer.IsAllowed(alice, Permission.Consume, "default", new("a", "a")));
        Assert.False(authorizer.IsAllowed(alice, Permission.Send, "default", new("a", null)));
        Assert.True(authorizer.IsAllowed(bob, Permission.Send, "default", new("b", null)));
        Assert.False(authorizer.IsAllowed(bob, Permission.Send, "default", new("a", null)));
    }

    [Fact]
    public async Task Filters_find_what_they_mean_and_deletion_takes_what_they_find()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        await AddAsync(admin, Acl(Topic, "orders.eu", Literal, "User:alice", Read));
        await AddAsync(admin, Acl(Topic, "orders.", Prefixed, "User:alice", Write));
        await AddAsync(admin, Acl(Topic, "*", Literal, "User:alice", Describe));
        await AddAsync(admin, Acl(Group, "orders.eu", Literal, "User:alice", Read));
        Assert.Equal(3, await CountAsync(admin, Topic, "orders.eu", Match));
        Assert.Equal(1, await CountAsync(admin, Topic, "orders.eu", Literal));
        Assert.Equal(1, await CountAsync(admin, Topic, "orders.", Any));
        Assert.Equal(4, await CountAsync(admin, Any, null, Any));
        DeleteAclsResponse deleted = await admin.AskAsync<DeleteAclsRequest, DeleteAclsResponse>(
            new()
            {
                Filters =
                [
                    new()
                    {
                        ResourceTypeFilter = Topic, ResourceNameFilter = "orders.eu", PatternTypeFilter = Match,
                        PrincipalFilter = "User:alice", HostFilter = null, Operation = Any, PermissionType = Any,
                    },
                ],
            },
            2);
        Assert.Equal(3, deleted.FilterResults[0].MatchingAcls.Count(a => a.ErrorCode == 0));
        Assert.Equal(1, await CountAsync(admin, Any, null, Any));
    }

    [Fact]
    public async Task Configured_permissions_are_shown_and_cannot_be_deleted()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        int shown = await CountAsync(admin, Topic, null, Any, "Role:admin");
        Assert.True(shown > 5, $"{shown} are shown");
        DeleteAclsResponse deleted = await admin.AskAsync<DeleteAclsRequest, DeleteAclsResponse>(
            new()
            {
                Filters =
                [
                    new()
                    {
                        ResourceTypeFilter = Any, ResourceNameFilter = null, PatternTypeFilter = Any,
                        PrincipalFilter = "Role:admin", HostFilter = null, Operation = Any, PermissionType = Any,
                    },
                ],
            },
            2);
        Assert.All(deleted.FilterResults[0].MatchingAcls, acl =>
            Assert.Equal((short)ErrorCode.PolicyViolation, acl.ErrorCode));
        Assert.Equal(shown, await CountAsync(admin, Topic, null, Any, "Role:admin"));
    }

    [Theory]
    [InlineData(6, "token", Literal, "User:a", "*", Read, Allow)] // a delegation token
    [InlineData(7, "user", Literal, "User:a", "*", Read, Allow)] // a user
    [InlineData(Topic, "t", Literal, "User:a", "10.0.0.1", Read, Allow)] // one host
    [InlineData(Topic, "t", Literal, "Group:a", "*", Read, Allow)] // another kind of principal
    [InlineData(Topic, "t", Literal, "User:a", "*", Any, Allow)]
    [InlineData(Topic, "t", Literal, "User:a", "*", IdempotentWrite, Allow)] // it is the cluster's
    [InlineData(Cluster, "kafka-cluster", Literal, "User:a", "*", 9, Allow)] // cluster actions
    [InlineData(Cluster, "other", Literal, "User:a", "*", Create, Allow)]
    [InlineData(Topic, "t", Match, "User:a", "*", Read, Allow)]
    [InlineData(Topic, "t", Literal, "User:a", "*", Read, Any)]
    [InlineData(Topic, "", Literal, "User:a", "*", Read, Allow)]
    [InlineData(Topic, "a.#", Literal, "User:a", "*", Read, Allow)]
    public async Task What_cannot_be_mapped_is_refused_with_a_reason(
        sbyte type, string name, sbyte pattern, string principal, string host, sbyte operation, sbyte permission)
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        CreateAclsRequest.AclCreation acl = Acl(type, name, pattern, principal, operation, permission);
        acl.Host = host;
        CreateAclsResponse answer = await admin.AskAsync<CreateAclsRequest, CreateAclsResponse>(
            new() { Creations = [acl] }, 2);
        Assert.Equal((short)ErrorCode.InvalidRequest, answer.Results[0].ErrorCode);
        Assert.False(string.IsNullOrEmpty(answer.Results[0].ErrorMessage));
        Assert.Equal(0, await CountAsync(admin, Any, null, Any, principal));
    }

    /// <summary>Who may be in a group learns through it nothing of topics that it may not know of.</summary>
    [Fact]
    public async Task A_group_is_no_way_to_topics_that_a_user_may_not_see()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await admin.CreateTopicAsync("secret");
        await admin.CreateTopicAsync("mine");
        await AddAsync(admin, Acl(Group, "g", Prefixed, "User:alice", Read));
        await AddAsync(admin, Acl(Topic, "mine", Literal, "User:alice", Read));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await BeatAsync(alice, "g1", "mine", "secret"));
        Assert.Equal(ErrorCode.None, await BeatAsync(alice, "g1", "mine"));
        Assert.Equal(ErrorCode.None, await BeatAsync(admin, "g2", "mine", "secret"));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, await DescribeAsync(alice, "g2"));
        Assert.Equal(ErrorCode.None, await DescribeAsync(alice, "g1"));
        Assert.Equal(ErrorCode.None, await DescribeAsync(admin, "g2"));

        foreach (string topic in new[] { "mine", "secret" })
        {
            OffsetCommitResponse kept = await admin.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
                new()
                {
                    GroupId = "g3",
                    Topics = [new() { Name = topic, Partitions = [new() { CommittedOffset = 5 }] }],
                },
                8);
            Assert.Equal(0, kept.Topics[0].Partitions[0].ErrorCode);
        }

        Assert.Equal(
            ["mine None 5", "secret TopicAuthorizationFailed -1"], await OffsetsAsync(alice, "mine", "secret"));
        Assert.Equal(["mine None 5"], await OffsetsAsync(alice));
        Assert.Equal(["mine None 5", "secret None 5"], await OffsetsAsync(admin));
    }

    [Fact]
    public async Task Only_administrators_see_and_change_rules()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        CreateAclsResponse answer = await alice.AskAsync<CreateAclsRequest, CreateAclsResponse>(
            new() { Creations = [Acl(Topic, "t", Literal, "User:alice", All)] }, 2);
        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, answer.Results[0].ErrorCode);
        DescribeAclsResponse seen = await alice.AskAsync<DescribeAclsRequest, DescribeAclsResponse>(Everything(), 2);
        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, seen.ErrorCode);
    }

    [Fact]
    public async Task Without_users_there_are_no_rules()
    {
        await using var scene = new KafkaScene();
        DescribeAclsResponse seen = await scene.Connect().AskAsync<DescribeAclsRequest, DescribeAclsResponse>(
            Everything(), 2);
        Assert.Equal((short)ErrorCode.SecurityDisabled, seen.ErrorCode);
    }

    private static CreateAclsRequest.AclCreation Acl(
        sbyte type, string name, sbyte pattern, string principal, sbyte operation, sbyte permission = Allow) => new()
        {
            ResourceType = type,
            ResourceName = name,
            ResourcePatternType = pattern,
            Principal = principal,
            Host = "*",
            Operation = operation,
            PermissionType = permission,
        };

    [Fact]
    public async Task An_expression_finds_topics_that_its_members_user_may_know_of_as_the_rules_are_now()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        KafkaPeer alice = await scene.ConnectAsync("alice");
        Guid mine = await admin.CreateTopicAsync("logs-mine");
        Guid secret = await admin.CreateTopicAsync("logs-secret");
        await AddAsync(admin, Acl(Group, "g", Literal, "User:alice", Read));
        await AddAsync(admin, Acl(Topic, "logs-mine", Literal, "User:alice", Describe));
        ConsumerGroupHeartbeatResponse joined = await BeatWithRegexAsync(alice, 0, "logs-.*");
        Assert.Equal((0, null), (joined.ErrorCode, joined.ErrorMessage));
        Assert.Equal([mine], joined.Assignment!.TopicPartitions.Select(t => t.TopicId));

        await AddAsync(admin, Acl(Topic, "logs-secret", Literal, "User:alice", Read));
        Assert.Equivalent(new[] { mine, secret }, await TopicsOfAsync(alice, joined, 2), strict: true);
        await AddAsync(admin, Acl(Topic, "logs-secret", Literal, "User:alice", Describe, Deny));
        await AddAsync(admin, Acl(Topic, "logs-secret", Literal, "User:alice", Read, Deny));
        Assert.Equal([mine], await TopicsOfAsync(alice, joined, 1));
    }

    [Fact]
    public async Task An_expression_that_cannot_be_used_has_an_error_of_its_own()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        ConsumerGroupHeartbeatResponse answer = await BeatWithRegexAsync(peer, 0, "(");
        Assert.Equal((short)ErrorCode.InvalidRegularExpression, answer.ErrorCode);
        Assert.Contains("regular expression", answer.ErrorMessage, StringComparison.Ordinal);
    }

    private static Task<ConsumerGroupHeartbeatResponse> BeatWithRegexAsync(
        KafkaPeer peer, int epoch, string? regex, ConsumerGroupHeartbeatRequest.TopicPartitionsEntry[]? owned = null) =>
        peer.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                MemberEpoch = epoch,
                RebalanceTimeoutMs = epoch == 0 ? 60_000 : -1,
                SubscribedTopicRegex = regex,
                TopicPartitions = epoch == 0 ? [] : owned,
            },
            1);

    // Beats as clients do until the member has so many topics: a new assignment takes its time.
    private static async Task<Guid[]> TopicsOfAsync(KafkaPeer peer, ConsumerGroupHeartbeatResponse joined, int count)
    {
        ConsumerGroupHeartbeatRequest.TopicPartitionsEntry[]? owned = null;
        (int epoch, Guid[] topics) = (joined.MemberEpoch, []);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (topics.Length != count)
        {
            ConsumerGroupHeartbeatResponse answer = await BeatWithRegexAsync(peer, epoch, null, owned);
            if (answer.ErrorCode == (short)ErrorCode.FencedMemberEpoch)
            {
                answer = await BeatWithRegexAsync(peer, 0, "logs-.*");
            }

            Assert.Equal((0, null), (answer.ErrorCode, answer.ErrorMessage));
            epoch = answer.MemberEpoch;
            owned = null;
            if (answer.Assignment is { } assignment)
            {
                topics = [.. assignment.TopicPartitions.Select(t => t.TopicId)];
                owned =
                [
                    .. assignment.TopicPartitions.Select(t => new ConsumerGroupHeartbeatRequest.TopicPartitionsEntry
                    {
                        TopicId = t.TopicId,
                        Partitions = t.Partitions,
                    }),
                ];
            }

            await Task.Delay(20, patience.Token);
        }

        return topics;
    }

    private static DescribeAclsRequest Everything() => new()
    {
        ResourceTypeFilter = Any,
        ResourceNameFilter = null,
        PatternTypeFilter = Any,
        PrincipalFilter = null,
        HostFilter = null,
        Operation = Any,
        PermissionType = Any,
    };

    private static async Task AddAsync(KafkaPeer admin, CreateAclsRequest.AclCreation acl)
    {
        CreateAclsResponse answer = await admin.AskAsync<CreateAclsRequest, CreateAclsResponse>(
            new() { Creations = [acl] }, 2);
        Assert.Equal((0, null), (answer.Results[0].ErrorCode, answer.Results[0].ErrorMessage));
    }

    private static async Task<int> CountAsync(
        KafkaPeer peer, sbyte type, string? name, sbyte pattern, string principal = "User:alice")
    {
        DescribeAclsRequest request = Everything();
        (request.ResourceTypeFilter, request.ResourceNameFilter, request.PatternTypeFilter) = (type, name, pattern);
        request.PrincipalFilter = principal;
        DescribeAclsResponse found = await peer.AskAsync<DescribeAclsRequest, DescribeAclsResponse>(request, 2);
        Assert.Equal(0, found.ErrorCode);
        return found.Resources.Sum(r => r.Acls.Length);
    }

    private static async Task<ErrorCode> InitAsync(KafkaPeer peer)
    {
        InitProducerIdResponse answer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = null, ProducerId = -1, ProducerEpoch = -1 }, 4);
        return (ErrorCode)answer.ErrorCode;
    }

    private static async Task<ErrorCode> ProduceAsync(KafkaPeer peer, string topic)
    {
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce(topic, Requests.Batch("x")), 9);
        return (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode;
    }

    private static async Task<ErrorCode> BeatAsync(KafkaPeer peer, string group, params string[] topics)
    {
        ConsumerGroupHeartbeatResponse answer = await peer
            .AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
                new()
                {
                    GroupId = group,
                    MemberId = "m",
                    RebalanceTimeoutMs = 1000,
                    SubscribedTopicNames = topics,
                    TopicPartitions = [],
                },
                1);
        return (ErrorCode)answer.ErrorCode;
    }

    private static async Task<ErrorCode> DescribeAsync(KafkaPeer peer, string group)
    {
        ConsumerGroupDescribeResponse answer = await peer
            .AskAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(new() { GroupIds = [group] }, 1);
        return (ErrorCode)answer.Groups[0].ErrorCode;
    }

    // Of all topics that the group has offsets of when none is named.
    private static async Task<string[]> OffsetsAsync(KafkaPeer peer, params string[] topics)
    {
        OffsetFetchResponse answer = await peer.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new()
            {
                GroupId = "g3",
                Topics = topics.Length == 0 ? null
                    : [.. topics.Select(t => new OffsetFetchRequest.OffsetFetchRequestTopic
                    {
                        Name = t,
                        PartitionIndexes = [0],
                    })],
            },
            7);
        return
        [
            .. answer.Topics.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t =>
                $"{t.Name} {(ErrorCode)t.Partitions[0].ErrorCode} {t.Partitions[0].CommittedOffset}"),
        ];
    }

    private static async Task<ErrorCode> CoordinatorAsync(KafkaPeer peer, sbyte type, string key)
    {
        FindCoordinatorResponse answer = await peer.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
            new() { KeyType = type, CoordinatorKeys = [key] }, 4);
        return (ErrorCode)answer.Coordinators[0].ErrorCode;
    }
}
