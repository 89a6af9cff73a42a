namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>A group of the <c>consumer</c> protocol as others see it.</summary>
internal static class ConsumerDescription
{
    public static ConsumerGroupView Of(Group owner)
    {
        ConsumerGroup group = owner.Consumer!;
        return new ConsumerGroupView
        {
            GroupId = owner.Id,
            State = group.State,
            Epoch = group.Epoch,
            AssignmentEpoch = group.AssignmentEpoch,
            Assignor = group.Assignor,
            Members = [.. group.Members.Select(m => new ConsumerMemberView
            {
                MemberId = m.Id,
                InstanceId = m.InstanceId,
                RackId = m.RackId,
                MemberEpoch = m.Epoch,
                Client = m.Client,
                SubscribedTopics = m.Topics,
                SubscribedRegex = m.Regex,
                Assignment = m.Assigned,
                Target = group.TargetOf(m),
                IsClassic = m.Classic is not null,
            })],
        };
    }
}
