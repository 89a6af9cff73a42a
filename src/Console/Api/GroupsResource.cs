using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/groups</c>: list, show, change, delete; moves committed offsets.</summary>
internal static class GroupsResource
{
    private const string One = "/api/v1/groups/{group}";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/groups", "Groups that read streams, by name.", ListAsync)
        {
            Answer = ApiJson.Default.PageGroupResource,
            Query = Paging.Parameters,
        },
        new("GET", One, "One group with its members and offsets.", ShowAsync)
        {
            Answer = ApiJson.Default.GroupResource,
        },
        new("PATCH", One, "Changes settings of a group, also before anybody is in it.", AlterAsync)
        {
            Body = ApiJson.Default.GroupChange,
            Status = 204,
        },
        new("DELETE", One, "Deletes a group that has no members, with its offsets.", DeleteAsync) { Status = 204 },
        new("POST", One + "/reset-offsets", "Moves the offsets of a group that has no members.", ResetAsync)
        {
            Body = ApiJson.Default.OffsetReset,
            Answer = ApiJson.Default.OffsetResetResult,
        },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<GroupView> groups =
            await request.Services.Broker.GroupManagement.ListAsync(request.Who, request.Space);
        Page<GroupResource> page = Paging.Cut(request, groups, g => g.GroupId, g => Show(g, false));
        await request.AnswerAsync(page, ApiJson.Default.PageGroupResource);
    }

    private static async Task ShowAsync(ApiRequest request)
    {
        GroupView group = await request.Services.Broker.GroupManagement.ShowAsync(
            request.Who, request.Space, request.Segment("group"));
        await request.AnswerAsync(Show(group, true), ApiJson.Default.GroupResource);
    }

    private static async Task AlterAsync(ApiRequest request)
    {
        string group = request.Segment("group");
        GroupChange change = await request.BodyAsync(ApiJson.Default.GroupChange);
        await request.Services.Broker.GroupManagement.AlterAsync(
            request.Who, request.Space, group, change.Set ?? new Dictionary<string, string>(), change.Reset ?? []);
        await request.AnswerAsync();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        await request.Services.Broker.GroupManagement.DeleteAsync(
            request.Who, request.Space, request.Segment("group"));
        await request.AnswerAsync();
    }

    private static async Task ResetAsync(ApiRequest request)
    {
        string group = request.Segment("group");
        OffsetReset wanted = await request.BodyAsync(ApiJson.Default.OffsetReset);
        StreamSelection[]? streams = wanted.Streams is null
            ? null
            : [.. wanted.Streams.Select(s => new StreamSelection(s.Stream, s.Partitions))];
        IReadOnlyList<OffsetMove> moves = await request.Services.Broker.GroupManagement.ResetAsync(
            request.Who, request.Space, group, streams, TargetOf(wanted), wanted.Execute);
        var result = new OffsetResetResult(wanted.Execute, [.. moves.Select(move => new OffsetMoveResource(
            move.Partition.Topic, move.Partition.Partition, move.Before < 0 ? null : move.Before, move.After))]);
        await request.AnswerAsync(result, ApiJson.Default.OffsetResetResult);
    }

    private static OffsetTarget TargetOf(OffsetReset wanted) => wanted.To switch
    {
        "earliest" => new OffsetTarget(OffsetTargetKind.Earliest),
        "latest" => new OffsetTarget(OffsetTargetKind.Latest),
        "offset" when wanted.Value is >= 0 and long offset => new OffsetTarget(OffsetTargetKind.Offset, offset),
        "offset" => throw ApiRequest.Invalid("value must be the offset, 0 or more"),
        "shift" when wanted.Value is { } records => new OffsetTarget(OffsetTargetKind.Shift, records),
        "shift" => throw ApiRequest.Invalid("value must be the number of records to shift by"),
        "time" when wanted.Time?.ToUnixTimeMilliseconds() is >= 0 and long ms =>
            new OffsetTarget(OffsetTargetKind.Time, ms),
        "time" => throw ApiRequest.Invalid("time must be a time since 1970, like 2026-01-31T12:00:00Z"),
        _ => throw ApiRequest.Invalid("to must be earliest, latest, offset, time or shift"),
    };

    private static GroupResource Show(GroupView group, bool whole) => new()
    {
        Name = group.GroupId,
        Type = group.Type.ToString().ToLowerInvariant(),
        State = group.State,
        MemberCount = group.Members.Count,
        Lag = group.Lag,
        Config = group.Config,
        Members = !whole ? null : [.. group.Members.Select(m => new GroupMemberResource
        {
            MemberId = m.MemberId,
            InstanceId = m.InstanceId,
            ClientId = m.ClientId,
            Host = m.Host,
            Assigned = [.. m.Assigned.Select(p => new GroupPartition(p.Topic, p.Partition))],
        })],
        Offsets = !whole ? null : [.. group.Offsets.Select(Show)],
    };

    private static GroupOffsetResource Show(GroupOffsetView offset) => new()
    {
        Stream = offset.Partition.Topic,
        Partition = offset.Partition.Partition,
        Offset = offset.Offset,
        EndOffset = offset.EndOffset < 0 ? null : offset.EndOffset,
        Lag = offset.Lag < 0 ? null : offset.Lag,
        Metadata = offset.Metadata.Length == 0 ? null : offset.Metadata,
        MemberId = offset.MemberId,
    };
}
