using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>A SEND whose body comes in pieces, to one destination or to several. Used by the connection's loop alone.
/// </summary>
internal sealed class LargeSend(MessageHeader header, Transaction? transaction, byte[]? receipt)
{
    private readonly List<(LargePublish Upload, SendTarget Target)> _parts = new(1);

    /// <summary>What the broker reads of it.</summary>
    public MessageHeader Header { get; } = header;

    /// <summary>The transaction that it is in; null: none.</summary>
    public Transaction? Transaction { get; } = transaction;

    /// <summary>It goes to a list of destinations.</summary>
    public bool IsForAll { get; init; }

    /// <summary>The transaction is its own: it ends with it.</summary>
    public bool IsOwnTransaction { get; init; }

    /// <summary>The receipt that it asks for; null: none.</summary>
    public byte[]? Receipt { get; } = receipt;

    /// <summary>The last piece has come.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Where it goes.</summary>
    public IReadOnlyList<(LargePublish Upload, SendTarget Target)> Parts => _parts;

    /// <summary>It goes to this target too; what its readers see in front of the body.</summary>
    public Task? Begin(BrokerClient client, SendTarget target, ReadOnlyMemory<byte> head)
    {
        LargePublish upload = client.BeginLarge(target.Producer);
        _parts.Add((upload, target));
        return upload.Append(new ReadOnlySequence<byte>(head)) ? null : ReadyAsync(upload);
    }

    /// <summary>A piece of the body. The result ends when the disk has caught up; null: it has.</summary>
    public Task? Append(in ReadOnlySequence<byte> piece)
    {
        Task? gate = null;
        foreach ((LargePublish upload, _) in _parts)
        {
            gate = upload.Append(piece) ? gate : Both(gate, ReadyAsync(upload));
        }

        return gate;
    }

    /// <summary>All pieces have come. The result ends when the disk has got them; null: it has.</summary>
    public Task? Finish()
    {
        Task? gate = null;
        foreach ((LargePublish upload, _) in _parts)
        {
            gate = upload.Finish() ? gate : Both(gate, ReadyAsync(upload));
        }

        return gate;
    }

    /// <summary>The connection is over in the middle of it.</summary>
    public void Abort() => _parts.ForEach(part => part.Upload.Abort());

    /// <summary>Both waits as one.</summary>
    public static Task Both(Task? one, Task other) => one is null ? other : Task.WhenAll(one, other);

    private static Task ReadyAsync(LargePublish upload) => upload.ReadyAsync(CancellationToken.None).AsTask();
}
