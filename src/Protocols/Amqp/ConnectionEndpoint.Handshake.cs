using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Connections;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Logins;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>Protocol headers (part 2 section 2.2), open and close (part 2 section 2.4).</content>
internal sealed partial class ConnectionEndpoint
{
    private const string SpacePrefix = "vhost:";

    private BrokerClient? _client;
    private bool _openSent;

    /// <summary>The connection's handle on the broker; there is one from the open on.</summary>
    public BrokerClient Client => _client!;

    /// <summary>Whether <see cref="Client"/> is there.</summary>
    public bool HasClient => _client is not null;

    /// <summary>Who logged in.</summary>
    public Identity Identity => _sasl.Identity;

    // An empty container id names nobody: its links are the connection's own. So are those of other nodes.
    private bool IsNamed => ContainerId.Length > 0 && Role == ConnectionRole.Normal;

    /// <summary>The peer's name for itself, from its open.</summary>
    public string ContainerId { get; private set; } = "";

    /// <summary>The address space: what the open's hostname, or else that of TLS, selects, else the user's own, else
    /// the default.</summary>
    public string AddressSpace { get; private set; } = "default";

    /// <summary>The peer's idle-time-out in milliseconds; 0: none.</summary>
    public uint PeerIdleTimeoutMs { get; private set; }

    /// <summary>A login check that took long is done.</summary>
    public void OnSaslVerified(in SaslStep step)
    {
        _sasl.OnVerified(step, isWanted: State == ConnectionState.Sasl);
        OnSasl();
    }

    /// <summary>Closes with an error; when nothing was opened yet, opens first (part 2 section 2.4.3).</summary>
    public void Close(AmqpError? error)
    {
        if (State is ConnectionState.CloseSent or ConnectionState.Ended)
        {
            return;
        }

        if (State < ConnectionState.HeadersExchanged)
        {
            State = ConnectionState.Ended;
            return;
        }

        EndError = error ?? EndError;
        _sessions.Release(LinkEnd.ConnectionClose);
        if (!_openSent)
        {
            WriteOpen();
        }

        Frames.Write(new Close { Error = error });
        State = ConnectionState.CloseSent;
    }

    /// <summary>The connection is gone: gives back everything. Called once, by the loop, at the end.</summary>
    public void Dispose()
    {
        if (State != ConnectionState.Ended && HasClient)
        {
            _sessions.Release(LinkEnd.ConnectionLost);
        }

        State = ConnectionState.Ended;
        LeaveNetwork();
        LeavePolicy();
        Names.Leave();
        _client?.Flush();
        _client?.Dispose();
        _sasl.Close();
        ReturnScratch();
    }

    private bool ReceiveHeader(ref ReadOnlySequence<byte> input)
    {
        switch (ProtocolHeader.TryRead(ref input, out ProtocolHeader header))
        {
            case HeaderMatch.NeedMore:
                return false;
            case HeaderMatch.Found:
                CountPreAuth(ProtocolHeader.Bytes);
                OnHeader(header);
                return true;
            default:
                RefuseHeader();
                return true;
        }
    }

    private void OnHeader(ProtocolHeader header)
    {
        bool bare = header == new ProtocolHeader(ProtocolId.Amqp);
        if (bare && (State == ConnectionState.SaslDone || Options.AllowAnonymous))
        {
            Frames.Write(header);
            State = ConnectionState.HeadersExchanged;
        }
        else if (State == ConnectionState.Start && header == new ProtocolHeader(ProtocolId.Sasl))
        {
            Frames.Write(header);
            State = ConnectionState.Sasl;
            _sasl.Begin(Options);
        }
        else
        {
            RefuseHeader();
        }
    }

    /// <summary>Whether the node has told the peer why it ends, and nothing says that the peer has read it or sends no
    /// more.</summary>
    public bool HasLastWords { get; private set; }

    // Part 2 section 2.2: the answer to a header that is not supported is one that is, and the end.
    private void RefuseHeader()
    {
        Frames.Write(new ProtocolHeader(State == ConnectionState.SaslDone ? ProtocolId.Amqp : ProtocolId.Sasl));
        EndWithWords();
    }

    private void OnSasl()
    {
        if (_sasl.Phase == SaslPhase.Failed)
        {
            EndWithWords();
            HasLastWords &= !_plan.IsInitiator;
        }
        else if (_sasl.Phase == SaslPhase.Succeeded && State == ConnectionState.Sasl)
        {
            State = ConnectionState.SaslDone;
        }
    }

    private void EndWithWords()
    {
        HasLastWords = true;
        State = ConnectionState.Ended;
    }

    private void OnFirstFrame(ulong descriptor, ref AmqpReader reader)
    {
        if (descriptor != Open.DescriptorCode)
        {
            throw new AmqpException(AmqpErrorCondition.IllegalState, "the first frame must be an open");
        }

        Open open = Open.ReadFields(ref reader);
        if (open.MaxFrameSize < WireLimits.FrameBytesMin)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField,
                $"max-frame-size {open.MaxFrameSize} is below {WireLimits.FrameBytesMin}");
        }

        PeerOpen = open;
        ContainerId = open.ContainerId;
        PeerFrameBytesMax = (uint)Math.Min(open.MaxFrameSize, (uint)Options.MaxFrameBytes);
        Frames.FrameBytesMax = open.MaxFrameSize;
        PeerIdleTimeoutMs = open.IdleTimeoutMs ?? 0;
        SelectAddressSpace(HostMeant);
        bool isSole = open.DesiredCapabilities?.Contains(OwnOpen.SoleConnection) == true;
        if (IsNamed && !Names.TryEnter(new ContainerKey(AddressSpace, Identity.Name, ContainerId), isSole))
        {
            RefuseContainer();
            return;
        }

        if (!TryEnterPolicy())
        {
            return;
        }

        if (!_openSent)
        {
            WriteOpen();
        }

        Connect();
    }

    // Hosts are named for many reasons: only the name of a space, or the prefix, selects one.
    private void SelectAddressSpace(string? hostname)
    {
        if (hostname is not null && hostname.StartsWith(SpacePrefix, StringComparison.Ordinal))
        {
            AddressSpace = hostname[SpacePrefix.Length..];
        }
        else if (hostname is not null && Options.AddressSpaces.Contains(hostname))
        {
            AddressSpace = hostname;
        }
        else
        {
            AddressSpace = Identity.AddressSpace ?? AddressSpace;
        }
    }

    // The open says that a close follows at once, so that a client does not take the connection for made.
    private void RefuseContainer()
    {
        WriteOpen(isRefused: true);
        var info = new AmqpMap();
        info.AddSymbol("invalid-field", AmqpValue.Symbol("container-id"));
        Close(new AmqpError
        {
            Condition = AmqpErrorCondition.InvalidField,
            Description = $"a connection of the container '{ContainerId}' exists already",
            Info = info,
        });
    }

    private void Connect()
    {
        try
        {
            _client = Environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = AddressSpace,
                    Identity = Identity,
                    ClientId = ContainerId,
                    Protocol = "amqp",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _wakeable);
            CheckRouter();
            State = ConnectionState.Opened;
            JoinNetwork();
            _plan.Opened?.Invoke();
        }
        catch (BrokerException refusal)
        {
            Close(BrokerErrors.ToError(refusal));
        }
    }

    private void WriteOpen(bool isRefused = false)
    {
        _openSent = true;
        Frames.Write(OwnOpen.Of(Options, _plan, Network, isRefused));
    }
}
