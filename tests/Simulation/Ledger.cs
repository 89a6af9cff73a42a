using System.Buffers.Binary;

namespace Pillarbox.Simulation.Tests;

/// <summary>One message's fate as the clients know it.</summary>
internal sealed class Fate
{
    public required long Id { get; init; }

    public required string Queue { get; init; }

    /// <summary>Who sent it, and as which of its messages to this queue.</summary>
    public required int Producer { get; init; }

    public required int Sequence { get; init; }

    /// <summary>Sent in a transaction.</summary>
    public Group? Group { get; init; }

    /// <summary>The node said that it has it on disk.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>A consumer has it and has not settled it, or has accepted it without proof that this is on
    /// disk.</summary>
    public object? Holder { get; set; }

    /// <summary>Some consumer has accepted it; whether the node knows is open.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>An acceptance is on disk: it must never be seen again.</summary>
    public bool IsConsumed { get; set; }

    /// <summary>The holder rejected it; once that is on disk it is a dead letter.</summary>
    public bool IsRejected { get; set; }

    public bool IsDeadLetter { get; set; }

    /// <summary>Deliveries so far.</summary>
    public int Seen { get; set; }

    /// <summary>Found when everything was drained at the end.</summary>
    public int Found { get; set; }

    /// <summary>What happened to it, each with the step of the simulation.</summary>
    public List<(int Step, string Event)> Story { get; } = [];

    public override string ToString() => $"message {Id} (producer {Producer}, number {Sequence}, to {Queue})";
}

/// <summary>A transaction's end.</summary>
internal enum GroupEnd
{
    Open,

    /// <summary>The node said: committed and on disk.</summary>
    Committed,

    /// <summary>Rolled back, or its client went away before it asked for a commit.</summary>
    RolledBack,

    /// <summary>A commit was asked for and not answered.</summary>
    Unknown,
}

/// <summary>What belongs together in a transaction.</summary>
internal sealed class Group
{
    public List<Fate> Published { get; } = [];

    public List<Fate> Accepted { get; } = [];

    public GroupEnd End { get; set; }
}

/// <summary>
/// What clients sent, were told and received, and the promises that this is held against. See the names of the checks.
/// </summary>
internal sealed class Ledger
{
    /// <summary>Where rejected messages and those that failed too often go.</summary>
    public const string DeadLetters = "DLQ";

    private readonly List<Fate> _fates = [];
    private readonly List<Group> _groups = [];

    public int Count => _fates.Count;

    /// <summary>The node is giving up: it has closed connections whose clients have not heard of it.</summary>
    public bool MayForgetHolders { get; set; }

    public int Delivered { get; private set; }

    /// <summary>The step of the simulation, for stories.</summary>
    public int Step { get; set; }

    /// <summary>What happened to the node.</summary>
    public List<(int Step, string Event)> NodeStory { get; } = [];

    /// <summary>Notes what happened to a message.</summary>
    public void Note(Fate fate, string happened) => fate.Story.Add((Step, happened));

    /// <summary>Notes what happened to the node.</summary>
    public void Note(string happened) => NodeStory.Add((Step, happened));

    /// <summary>All that is known of a message, for whoever looks for the fault.</summary>
    public string Tell(Fate fate) => string.Join("; ", fate.Story
        .Concat(NodeStory.Where(told => fate.Story.Count > 0 && told.Step >= fate.Story[0].Step))
        .OrderBy(static told => told.Step).Select(static told => $"{told.Step} {told.Event}"));

    public Fate Sent(string queue, int producer, int sequence, Group? group = null)
    {
        var fate = new Fate
        {
            Id = _fates.Count,
            Queue = queue,
            Producer = producer,
            Sequence = sequence,
            Group = group,
        };
        _fates.Add(fate);
        group?.Published.Add(fate);
        Note(fate, "sent");
        return fate;
    }

    public Group Begun()
    {
        var group = new Group();
        _groups.Add(group);
        return group;
    }

    /// <summary>The body of a message: its id, its length, and a pattern that both decide.</summary>
    public static byte[] Body(long id, int length)
    {
        byte[] body = new byte[Math.Max(length, 12)];
        BinaryPrimitives.WriteInt64LittleEndian(body, id);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(8), body.Length);
        for (int i = 12; i < body.Length; i++)
        {
            body[i] = (byte)((id * 31) + (i * 7));
        }

        return body;
    }

    /// <summary>Finds the message that a body belongs to. Checks: phantom, wrong bytes.</summary>
    public Fate Identify(ReadOnlySpan<byte> body)
    {
        Violation.Unless(body.Length >= 12, $"phantom: a body of {body.Length} bytes");
        long id = BinaryPrimitives.ReadInt64LittleEndian(body);
        Violation.Unless(id >= 0 && id < _fates.Count, $"phantom: a message with the id {id}");
        int length = BinaryPrimitives.ReadInt32LittleEndian(body[8..]);
        bool isWhole = length == body.Length && body.SequenceEqual(Body(id, length));
        Violation.Unless(isWhole, $"wrong bytes in {_fates[(int)id]}");
        return _fates[(int)id];
    }

    /// <summary>
    /// A consumer got it. Checks: delivered after its acknowledged settlement, at two consumers at once, of a rolled
    /// back transaction, in the wrong queue, a dead letter back in its queue.
    /// </summary>
    public void Deliver(Fate fate, string queue, object holder)
    {
        Delivered++;
        fate.Seen++;
        Note(fate, $"delivered to {holder}");
        Violation.Unless(!fate.IsConsumed, $"{fate} delivered after its settlement was on disk: {Tell(fate)}");
        bool isFree = fate.Holder is null || MayForgetHolders;
        Violation.Unless(isFree, $"{fate} delivered to {holder} while {fate.Holder} has it");
        bool isRolledBack = fate.Group?.End == GroupEnd.RolledBack;
        Violation.Unless(!isRolledBack, $"{fate} delivered, its transaction was rolled back: {Tell(fate)}");
        Violation.Unless(queue == fate.Queue || queue == DeadLetters, $"{fate} delivered from {queue}");
        bool isBack = fate.IsDeadLetter && queue != DeadLetters;
        Violation.Unless(!isBack, $"{fate} is a dead letter and came back to its queue");

        // It is there, so what was said of it before did not reach the disk.
        // (A node whose disk fails may know less than the disk.)
        fate.IsAccepted &= MayForgetHolders;
        fate.IsRejected = false;
        fate.Holder = holder;
    }

    /// <summary>The holder has gone (or the node has): what was not known to be on disk may be undone.</summary>
    public void Released(Predicate<object> isGone)
    {
        foreach (Fate fate in _fates)
        {
            if (fate.Holder is { } holder && isGone(holder))
            {
                Note(fate, $"{holder} has gone");
                fate.Holder = null;
                fate.IsRejected = false;
            }
        }
    }

    /// <summary>Everything under way has arrived and is on disk.</summary>
    public void Quiet()
    {
        foreach (Fate fate in _fates)
        {
            if (fate.Holder is not null && fate.IsAccepted)
            {
                fate.IsConsumed = true;
                fate.Holder = null;
            }
            else if (fate.Holder is not null && fate.IsRejected)
            {
                fate.IsDeadLetter = true;
                fate.IsRejected = false;
                fate.Holder = null;
            }
        }
    }

    /// <summary>
    /// After all was drained. Checks: acknowledged and lost, found twice, transactions all or nothing, consumed in a
    /// committed transaction and found again, dead letters kept.
    /// </summary>
    public void CheckEnd()
    {
        foreach (Fate fate in _fates)
        {
            Violation.Unless(fate.Found <= 1, $"{fate} is there {fate.Found} times: {Tell(fate)}");
            bool isBack = fate.Found > 0 && fate.IsConsumed;
            Violation.Unless(!isBack, $"{fate} is there after its settlement was on disk: {Tell(fate)}");
            bool mustBeThere = fate.IsAcknowledged && !fate.IsAccepted;
            Violation.Unless(fate.Found == 1 || !mustBeThere, $"{fate} was acknowledged and is lost: {Tell(fate)}");
        }

        foreach (Group group in _groups)
        {
            int there = group.Published.Count(static fate => fate.Seen > 0);
            Violation.Unless(
                there == 0 || there == group.Published.Count,
                $"half a transaction: {there} of {group.Published.Count} ({group.End})");
            Violation.Unless(
                there == 0 || group.Accepted.TrueForAll(static fate => fate.Found == 0),
                $"half a transaction: published, but what it consumed is still there ({group.End})");
        }
    }
}
