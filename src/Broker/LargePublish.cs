using System.Buffers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Broker;

/// <summary>A message on its way in whose payload comes in pieces. Owned by the connection; either completed or
/// aborted.</summary>
public abstract class LargePublish
{
    /// <summary>Bytes so far.</summary>
    public abstract long Length { get; }

    /// <summary>Adds a piece. Small totals stay in memory, larger ones go to a file. False: the disk is behind; wait
    /// for <see cref="ReadyAsync"/> before the next piece.</summary>
    public abstract bool Append(in ReadOnlySequence<byte> piece);

    /// <summary>Completes when more pieces may be appended.</summary>
    public abstract ValueTask ReadyAsync(CancellationToken cancellation);

    /// <summary>The whole message is there. False: the disk has not got it yet; wait for <see cref="ReadyAsync"/>
    /// before <see cref="Complete"/>.</summary>
    public abstract bool Finish();

    /// <summary>After <see cref="Finish"/>: publishes it as <see cref="BrokerClient.Publish"/> does. A refusal that is
    /// known at once is returned, too.</summary>
    public abstract BrokerException? Complete(
        in MessageHeader header, ulong tag, string? to = null, Transaction? transaction = null);

    /// <summary>Forgets it.</summary>
    public abstract void Abort();
}
