namespace Pillarbox.Broker.Streams.Groups.Classic;

/// <summary>A classic group as others see it.</summary>
internal static class ClassicDescription
{
    public static ClassicGroupView Of(Group group)
    {
        ClassicGroup classic = group.Classic;
        bool stable = classic.Is(ClassicState.Stable);
        return new ClassicGroupView
        {
            GroupId = group.Id,
            State = classic.State.ToString(),
            ProtocolType = classic.ProtocolType ?? "",
            Protocol = stable ? classic.Protocol ?? "" : "",
            Generation = classic.Generation,
            Members = [.. classic.Members.Select(m => new ClassicMemberView(
                m.Id, m.InstanceId, m.Client, stable ? m.MetadataOf(classic.Protocol) : [],
                stable ? m.Assignment : []))],
        };
    }
}
