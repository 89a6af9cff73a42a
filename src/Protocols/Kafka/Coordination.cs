using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>How requests ask the coordinators of groups and transactions.</summary>
internal static class Coordination
{
    /// <summary>The client may not have to do with the group.</summary>
    public const CoordinatorError NoPermissionOnGroup = (CoordinatorError)(short)ErrorCode.GroupAuthorizationFailed;

    /// <summary>The client may not know of the topic.</summary>
    public const CoordinatorError NoPermissionOnTopic = (CoordinatorError)(short)ErrorCode.TopicAuthorizationFailed;

    /// <summary>The client may not have to do with the transactional id.</summary>
    public const CoordinatorError NoPermissionOnTransaction =
        (CoordinatorError)(short)ErrorCode.TransactionalIdAuthorizationFailed;

    /// <summary>
    /// Asks now, in the order of the requests; the answer may come at once or much later. Nobody waits for one when the
    /// peer is gone.
    /// </summary>
    public static Task<T> AskAsync<T>(this KafkaSession session, Action<StreamCoordinators, Action<T>> ask)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        ask(session.Coordinators, answer.SetResult);
        return answer.Task.IsCompleted ? answer.Task : answer.Task.WaitAsync(session.Closed);
    }

    /// <summary>Whether the client may be a member of the group, or see it: the permission to consume on the address of
    /// that name.</summary>
    public static bool MayJoin(this KafkaSession session, string group) =>
        session.May(Permission.Consume, group, ResourceKind.Group);

    /// <summary>Why the client may not be a member of the group; None when it may.</summary>
    public static ErrorCode CheckMember(this KafkaSession session, string group) =>
        session.MayJoin(group) ? ErrorCode.None : ErrorCode.GroupAuthorizationFailed;

    /// <summary>Whether the client may know of the group: who may be in it, or may view what has its name.</summary>
    public static bool MaySeeGroup(this KafkaSession session, string group) =>
        session.MayJoin(group) || session.May(Permission.View, group, ResourceKind.Group);

    /// <summary>Whether the client may delete the group: who may be in it, or may delete what has its name.</summary>
    public static bool MayDeleteGroup(this KafkaSession session, string group) =>
        session.MayJoin(group) || session.May(Permission.DeleteAddress, group, ResourceKind.Group);

    /// <summary>Whether the client may write under the transactional id: the permission to send to the address of that
    /// name.</summary>
    public static bool MayTransact(this KafkaSession session, string transactionalId) =>
        session.May(Permission.Send, transactionalId, ResourceKind.Transaction);

    /// <summary>Whether the client may know of the transaction: who may write under its id, or may view what has its
    /// name.</summary>
    public static bool MaySeeTransaction(this KafkaSession session, string transactionalId) =>
        session.MayTransact(transactionalId)
        || session.May(Permission.View, transactionalId, ResourceKind.Transaction);

    /// <summary>Whether the client may know of all these topics. Members name what they read; what they get of it is
    /// asked again when they fetch.</summary>
    public static bool MaySeeAll(this KafkaSession session, IEnumerable<string>? topics) =>
        topics?.All(session.MaySee) != false;

    /// <summary>Whether the client may know of all topics that members of a group read or have.</summary>
    public static bool MaySeeAll(this KafkaSession session, ConsumerGroupView group) => group.Members.All(member =>
        session.MaySeeAll(member.SubscribedTopics) && session.MaySeeAll(
            member.Assignment.Concat(member.Target).Select(p => p.TopicId).Distinct()
                .Select(id => session.Streams.Find(id)?.Name).OfType<string>()));

    /// <summary>The coordinators use the protocol's numbers.</summary>
    public static short Code(this CoordinatorError error) => (short)error;

    /// <summary>The same for a client that may be too old to know that a producer can be fenced: it hears that the
    /// epoch is over.</summary>
    public static CoordinatorError Since(this CoordinatorError error, short firstOfFencing, ApiCall call) =>
        error == CoordinatorError.ProducerFenced && call.Version < firstOfFencing
            ? CoordinatorError.InvalidProducerEpoch
            : error;

    /// <summary>The name of a topic that is known by its id; null when there is none.</summary>
    public static string? NameOf(this KafkaSession session, string name, Guid id) =>
        id == Guid.Empty ? name : session.Streams.Find(id)?.Name;

    /// <summary>Why offsets of this partition cannot be kept; None when they can.</summary>
    public static ErrorCode CheckPartition(this KafkaSession session, string? topic, int partition) =>
        topic is null ? ErrorCode.UnknownTopicId
        : !session.May(Permission.Consume, topic) ? ErrorCode.TopicAuthorizationFailed
        : session.Streams.Find(topic)?.FindPartition(partition) is null ? ErrorCode.UnknownTopicOrPartition
        : ErrorCode.None;
}
