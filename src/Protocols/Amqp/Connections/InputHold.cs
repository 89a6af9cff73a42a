using Pillarbox.Broker;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>
/// What further input of a connection waits for: another connection that gives up a link, a queue that is not on disk
/// yet, what the interior knows of an address, or the disk behind a large message. The loop awaits it. Used by the
/// loop alone.
/// </summary>
internal sealed class InputHold
{
    private (AmqpSession Session, Attach Attach)? _deferred;
    private (Attach Attach, Task<InteriorAnswer> Answer)? _lookUp;
    private ReceivingLink? _largeLink;

    /// <summary>Ends when input may go on; null: nothing is waited for.</summary>
    public Task? Gate { get; private set; }

    /// <summary>No further frames are read until the task is done; the loop itself completes it.</summary>
    public void Until(Task done) => Gate = done;

    /// <summary>No further frames are read until the disk has caught up with a large message.</summary>
    public void UntilReady(LargePublish large, ReceivingLink link)
    {
        // The last frame of a message pauses the input once more, behind the frame before it.
        _largeLink = link;
        Gate = large.ReadyAsync(CancellationToken.None).AsTask();
    }

    /// <summary>An attach, and all input after it, is put off until the task is done, and then begun anew.</summary>
    public void Defer(AmqpSession session, Attach attach, Task until)
    {
        Gate = until;
        _deferred = (session, attach);
    }

    /// <summary>
    /// What the interior knows of the address of an attach; the attach is put off until that is known. Null: nobody is
    /// asked.
    /// </summary>
    public Task<InteriorAnswer>? LookUp(
        INetwork network, AmqpSession session, Attach attach, string address, bool toSend)
    {
        if (_lookUp is { } known && ReferenceEquals(known.Attach, attach))
        {
            return known.Answer;
        }

        if (network.LookUp(address, toSend) is not { } answer)
        {
            return null;
        }

        _lookUp = (attach, answer);
        if (!answer.IsCompleted)
        {
            Defer(session, attach, answer);
        }

        return answer;
    }

    /// <summary>What was waited for has come: the attach that was put off, if any.</summary>
    public (AmqpSession Session, Attach Attach)? Resume()
    {
        Gate = null;
        ReceivingLink? large = _largeLink;
        _largeLink = null;
        large?.OnLargeReady();
        (AmqpSession Session, Attach Attach)? deferred = _deferred;
        _deferred = null;
        return deferred;
    }
}
