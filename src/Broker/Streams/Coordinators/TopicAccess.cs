using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>The topics of an address space that a user may know of, by the one authorizer. Any thread.</summary>
public sealed class TopicAccess(Authorizer authorizer, Identity who, string addressSpace)
    : ITopicAccess, IEquatable<TopicAccess>
{
    /// <summary>Any of these lets a user see that a topic is there.</summary>
    private static readonly Permission[] Seeing =
        [Permission.Consume, Permission.Send, Permission.Browse, Permission.View, Permission.Manage];

    private readonly Identity _who = who;
    private readonly string _addressSpace = addressSpace;

    /// <inheritdoc/>
    public object Rules => authorizer.Rules.Of(_addressSpace);

    /// <inheritdoc/>
    public bool MaySee(string topic)
    {
        AddressName name = new(topic, null);
        foreach (Permission permission in Seeing)
        {
            if (authorizer.IsAllowed(_who, permission, _addressSpace, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the other stands for the same user with the same roles, in the same address space.</summary>
    public bool Equals(TopicAccess? other) =>
        other is not null && other._addressSpace == _addressSpace && other._who.Name == _who.Name
        && other._who.IsAnonymous == _who.IsAnonymous && other._who.AddressSpace == _who.AddressSpace
        && other._who.Roles.SequenceEqual(_who.Roles);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TopicAccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_addressSpace, _who.Name);
}
