using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Reading;

/// <summary>
/// A reading of a stream of this node's broker for a reader of another node. Its records go to the reader's own
/// address, numbered, so that the other node sees when one was lost on the way, and ends the reader's link; each is
/// settled by what the reader says. It ends when the reader is gone, or silent. Owned by the port's loop.
/// </summary>
internal sealed class StreamReader : BrokerSource
{
    /// <summary>A reader's node that has said nothing for so long is gone.</summary>
    public const int SilenceMsMax = 20_000;

    private readonly BrokerPort _port;
    private readonly string _replyTo;
    private readonly string _address;
    private readonly ReaderPost _post;
    private readonly Ear _ear;
    private IRoute? _reply;
    private IRoute? _own;
    private ConsumerOptions? _options;
    private long _heardMs;
    private long _number;
    private bool _isAsking = true;

    public StreamReader(BrokerPort port, string stream, string replyTo)
        : base(port, stream, isStream: true, isMulticast: false)
    {
        _port = port;
        _replyTo = replyTo;
        Stream = stream;
        _address = port.Network.NewDynamicAddress(forSender: false);
        _post = new ReaderPost(port.Network, port.Traffic, new Asked(port.Traffic.Inbox, this));
        _ear = new Ear(port, this);
        _heardMs = port.SteadyMs;
    }

    /// <summary>The stream.</summary>
    public string Stream { get; }

    /// <summary>Whether it has ended.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Begins to read, and says so. Errors: the broker's refusals.</summary>
    public void Begin(ConsumerOptions options)
    {
        _options = options;
        OpenConsumer();
        _own = _port.Network.OpenReceiver(_address, _ear);
        _reply = _port.Network.OpenSender(_replyTo, this);
        if (_own is null || _reply is null
            || !_post.TrySend(_reply, _replyTo, ReaderMessage.Begun(_replyTo, _address)))
        {
            Close();
            return;
        }

        SetRoute(_reply);
        _port.Readers.Add(this);
    }

    /// <summary>It cannot be.</summary>
    public void Refuse(AmqpError error)
    {
        _post.TrySend(_replyTo, ReaderMessage.Over(_replyTo, error));
        Close();
    }

    /// <summary>The reader is not there, or nothing is heard of it.</summary>
    public void EndIfSilent(long nowMs)
    {
        if (nowMs - _heardMs > SilenceMsMax)
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public override void OnDestinationsTold(bool any)
    {
        if (!any)
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public override void OnClosed(BrokerException reason)
    {
        base.OnClosed(reason);
        if (!IsOver)
        {
            Refuse(BrokerErrors.ToError(reason));
        }
    }

    /// <inheritdoc/>
    public override void Close()
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        base.Close();
        if (_own is not null)
        {
            _port.Network.CloseReceiver(_own, _ear);
        }

        if (_reply is not null)
        {
            _port.Network.CloseSender(_reply, this);
        }
    }

    /// <inheritdoc/>
    protected override ConsumerOptions ToDraw() => _options!;

    /// <inheritdoc/>
    protected override byte[] Dress(byte[] message) => ReaderMessage.Number(message, ++_number);

    /// <inheritdoc/>
    public override void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        base.OnReceiverState(delivery, state, settled);
        if (settled && !_isAsking && !IsOver && !ReferenceEquals(state, RoutedState.Accepted))
        {
            // A reader that does not want it, or nobody there any more?
            _isAsking = true;
            OnAsked(_post.TrySend(_reply!, _replyTo, ReaderMessage.Begun(_replyTo, _address)), isAnswer: false);
        }
    }

    private void OnAsked(bool isThere, bool isAnswer = true)
    {
        _isAsking &= !isAnswer;
        if (!isThere)
        {
            Close();
        }
    }

    private bool Hear(ReadOnlySpan<byte> message)
    {
        if (ReaderMessage.Read(message) is not ({ } opcode, _, _))
        {
            return false;
        }

        _heardMs = _port.SteadyMs;
        if (opcode == "CLOSE")
        {
            Close();
        }
        else if (opcode == "DRAIN")
        {
            WhenDrained(SayEmpty);
        }

        return true;
    }

    private void SayEmpty()
    {
        if (!IsOver)
        {
            _post.TrySend(_reply!, _replyTo, ReaderMessage.Empty(_replyTo, _number));
        }
    }

    /// <summary>Where the reader's node says that the reader is there.</summary>
    private sealed class Ear(BrokerPort port, StreamReader reader) : PortOutlet(port)
    {
        protected override bool Take(ReadOnlySpan<byte> message) => reader.Hear(message);
    }

    /// <summary>What the reader's node says of the messages about the reading: without the reader it takes
    /// none.</summary>
    private sealed class Asked(RoutedInbox inbox, StreamReader reader) : IRoutedSource
    {
        public RoutedInbox Inbox => inbox;

        public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
        {
            if (settled)
            {
                reader.OnAsked(isThere: ReferenceEquals(state, RoutedState.Accepted));
            }
        }

        public void OnConsumed(RoutedDelivery delivery, int frames)
        {
        }
    }
}

/// <summary>The readings of a node. Owned by the port's loop; <see cref="IsDue"/> is for any thread.</summary>
internal sealed class StreamReaders
{
    private const int LookMs = 1000;

    private readonly List<StreamReader> _all = [];
    private long _lookAtMs = long.MaxValue;

    public int Count => _all.Count;

    public bool IsDue(long nowMs) => nowMs >= Volatile.Read(ref _lookAtMs);

    public void Add(StreamReader reader)
    {
        _all.Add(reader);
        if (_lookAtMs == long.MaxValue)
        {
            Volatile.Write(ref _lookAtMs, 0);
        }
    }

    /// <summary>Ends those of readers that are gone.</summary>
    public void Look(long nowMs)
    {
        if (!IsDue(nowMs))
        {
            return;
        }

        _all.ForEach(reader => reader.EndIfSilent(nowMs));
        _all.RemoveAll(reader => reader.IsOver);
        Volatile.Write(ref _lookAtMs, _all.Count == 0 ? long.MaxValue : nowMs + LookMs);
    }

    /// <summary>Hands on what was drawn, and draws more.</summary>
    public void Pump()
    {
        for (int i = _all.Count - 1; i >= 0; i--)
        {
            if (_all[i].IsOver)
            {
                _all.RemoveAt(i);
            }
            else
            {
                _all[i].Pump();
            }
        }
    }

    /// <summary>A stream is gone.</summary>
    public void CloseOf(string stream)
    {
        foreach (StreamReader reader in _all.Where(reader => reader.Stream == stream))
        {
            reader.Close();
        }
    }
}
