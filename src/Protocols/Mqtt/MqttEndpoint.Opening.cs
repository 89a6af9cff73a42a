using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>From CONNECT to CONNACK (MQTT 5.0 §3.1, §3.2, §3.15, §4.12), and DISCONNECT.</content>
internal sealed partial class MqttEndpoint
{
    private const int AssignedIdBytes = 12;

    private readonly Login _login;
    private ConnectPacket? _connect;
    private Identity? _identity;
    private ClientKey? _key;
    private SessionQueues? _queues;
    private bool _isIdAssigned;
    private byte[]? _lastAuthData;
    private Task? _willGone;

    /// <summary>What has to end before the next step; the loop then calls <see cref="OnAwaited"/>.</summary>
    public Task? Awaited { get; private set; }

    /// <summary>The user, once known.</summary>
    public string User => _identity?.Name ?? "";

    /// <summary>Seconds of keep alive that count for this client; 0 = none.</summary>
    public int KeepAliveSeconds
    {
        get
        {
            int max = _environment.Options.KeepAliveSecondsMax;
            int asked = _connect?.KeepAlive ?? 0;
            return max == 0 || _connect?.Version != MqttVersion.V5 || (asked > 0 && asked <= max) ? asked : max;
        }
    }

    /// <summary>The next step. What was awaited has ended.</summary>
    public void OnAwaited()
    {
        Task ended = Awaited!;
        Awaited = null;
        if (State == EndpointState.Ended)
        {
            return;
        }

        if (State == EndpointState.Connected)
        {
            _session!.NowMs = NowMs;
            _session.OnFileReady();
        }
        else if (ended is Task<SaslStep> verified)
        {
            OnLogin(verified.GetAwaiter().GetResult());
        }
        else if (_session is null)
        {
            Enter();
        }
    }

    private void OnFirst(in FixedHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Type != PacketType.Connect)
        {
            MqttException.Protocol("the first packet is not CONNECT");
        }

        _connect = ConnectPacket.Read(body);
        CheckFlags(header);
        if (_connect.Will is { } will && TopicNames.IsOfNode(Encoding.UTF8.GetBytes(will.Topic)))
        {
            throw new MqttException(ReasonCode.TopicNameInvalid, "the topics below $SYS are the node's own");
        }

        if (_environment.Options.ServerReference is not null)
        {
            throw new MqttException(ReasonCode.UseAnotherServer, "");
        }

        CheckClientId();
        OnLogin(_login.Begin(_connect));
    }

    private void CheckClientId()
    {
        string id = _connect!.ClientId;
        if (id.Length == 0 && (_connect.Version == MqttVersion.V5
            || (_connect.Version == MqttVersion.V311 && _connect.CleanStart)))
        {
            _isIdAssigned = true;
            Span<byte> random = stackalloc byte[AssignedIdBytes];
            _environment.Random.Fill(random);
            _connect = _connect with { ClientId = "auto-" + Convert.ToHexStringLower(random) };
            return;
        }

        if (id.Length == 0 || id.Length > _environment.Options.ClientIdCharsMax
            || AddressName.Check(SessionNames.Queue(id), "client identifier") is not null)
        {
            throw new MqttException(ReasonCode.ClientIdentifierNotValid, "the client identifier is not valid");
        }
    }

    private void OnLogin(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Challenge when _login.Method is { } method:
                State = State == EndpointState.Connected ? State : EndpointState.Authenticating;
                new AuthPacket(ReasonCode.ContinueAuthentication) { Method = method, Data = step.Data.ToArray() }
                    .Write(Output);
                break;
            case SaslStatus.Verify:
                State = EndpointState.Opening;
                Awaited = _login.VerifyAsync().AsTask();
                break;
            case SaslStatus.Succeeded:
                OnLoggedIn(step);
                break;
            default:
                Log.LoginFailed(_environment.Logger, _peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                Close(step.Status == SaslStatus.Busy ? ReasonCode.ServerBusy : RefusalOf(_connect!), "");
                break;
        }
    }

    private static ReasonCode RefusalOf(ConnectPacket connect) =>
        connect.UserName is not null && connect.AuthenticationMethod is null
            ? ReasonCode.BadUserNameOrPassword
            : ReasonCode.NotAuthorized;

    private void OnLoggedIn(in SaslStep step)
    {
        _lastAuthData = step.Data.IsEmpty ? null : step.Data.ToArray();
        if (State != EndpointState.Connected)
        {
            _identity = step.Identity!;
            State = EndpointState.Opening;
            Enter();
            return;
        }

        // The client has proved again who it is (§4.12.1); it is somebody else: that is no longer its session.
        if (step.Identity!.Name != _identity!.Name)
        {
            Close(ReasonCode.NotAuthorized, "another user");
            return;
        }

        new AuthPacket(ReasonCode.Success) { Method = _login.Method, Data = _lastAuthData }.Write(Output);
    }

    private void OnAuthenticating(in FixedHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Type == PacketType.Disconnect)
        {
            State = EndpointState.Ended;
            return;
        }

        if (header.Type != PacketType.Auth)
        {
            MqttException.Protocol("an AUTH is due");
        }

        OnAuth(body);
    }

    private void OnAuth(ReadOnlySpan<byte> body)
    {
        AuthPacket auth = AuthPacket.Read(body);
        bool begins = auth.Reason == ReasonCode.ReAuthenticate;
        if (_connect!.Version != MqttVersion.V5 || _connect.AuthenticationMethod is not { } method
            || auth.Method != method || auth.Reason == ReasonCode.Success
            || begins != (State == EndpointState.Connected && !_isReAuthenticating))
        {
            MqttException.Protocol("this AUTH is not one that is due");
            return;
        }

        _isReAuthenticating = State == EndpointState.Connected;
        SaslStep step = begins ? _login.Begin(method, auth.Data ?? [], isAgain: true) : _login.Step(auth.Data ?? []);
        _isReAuthenticating &= step.Status == SaslStatus.Challenge;
        OnLogin(step);
    }

    private bool _isReAuthenticating;

    // A client has one connection: the one that there is gives way first (§3.1.4). Only to its own user.
    private void Enter()
    {
        string space = _identity!.AddressSpace ?? "default";
        var key = new ClientKey(space, _connect!.ClientId);
        RetainedStore retained = RetainedOf(space);
        if (!retained.Loaded.IsCompleted)
        {
            Awaited = retained.Loaded;
            return;
        }

        if (_environment.Wills.LoadingOf(space) is { } loading)
        {
            Awaited = loading;
            return;
        }

        if (_environment.Clients.Enter(key, _connection) is not { } there)
        {
            _key = key;
            // What an older connection still commits belongs to the session.
            Awaited = _environment.Broker.WhenEnded(space, _connect.ClientId);
            if (Awaited is null)
            {
                Open(space);
            }

            return;
        }

        if (there.User != User)
        {
            throw new MqttException(ReasonCode.NotAuthorized, "the client identifier is another user's");
        }

        Awaited = there.GiveWayAsync();
    }

    private RetainedStore RetainedOf(string space)
    {
        try
        {
            return _environment.RetainedOf(space);
        }
        catch (BrokerException refusal)
        {
            throw new MqttException(BrokerErrors.ToReason(refusal), refusal.Message);
        }
    }

    private void Open(string space)
    {
        MqttOptions options = _environment.Options;
        ConnectPacket connect = _connect!;
        uint expiry = connect.Version == MqttVersion.V5
            ? connect.SessionExpiry
            : connect.CleanStart ? 0 : ConnectPacket.NeverExpires;
        BrokerClient? client = null;
        try
        {
            client = _environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = space,
                    Identity = _identity!,
                    ClientId = connect.ClientId,
                    Protocol = "mqtt",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _connection);
            _queues = SessionQueues.Open(
                client, connect.ClientId, connect.CleanStart, Math.Min(expiry, options.SessionExpirySecondsMax),
                options);
            _queues.Load();
            TakeUpWill(_key!.Value);
            _session = new MqttSession(_environment, Output, connect, _queues, _connection);
        }
        catch (BrokerException refusal)
        {
            if (_queues is null)
            {
                client?.Dispose();
            }

            throw new MqttException(BrokerErrors.ToReason(refusal), refusal.Message);
        }
    }

    // Its will does not come while the session goes on in time (§3.1.3.2.2); with the session's end it does.
    private void TakeUpWill(ClientKey key)
    {
        Awaited = _willGone = _queues!.WasThere
            ? _environment.Wills.Discard(key)
            : _environment.Wills.Publish(key, NowMs);
    }

    private void Admit()
    {
        ConnectPacket connect = _connect!;
        bool isNew = connect.Version == MqttVersion.V5;
        var admission = new ConnAckPacket
        {
            SessionPresent = _queues!.WasThere,
            Properties = isNew ? AdmissionProperties(connect.RequestResponseInformation) : [],
        };
        if (admission.BytesFor(connect.Version) > connect.MaximumPacketSize)
        {
            // What the client need not be told goes first (§3.1.2.11.4).
            admission = admission with { Properties = AdmissionProperties(withResponseInformation: false) };
        }

        if (admission.BytesFor(connect.Version) > connect.MaximumPacketSize)
        {
            Close(ReasonCode.PacketTooLarge, "");
            return;
        }

        State = EndpointState.Connected;
        admission.Write(Output, connect.Version);
        _session!.Start();
    }

    private byte[] AdmissionProperties(bool withResponseInformation)
    {
        MqttOptions options = _environment.Options;
        PropertyWriter to = new PropertyWriter()
            .Add(PropertyId.ReceiveMaximum, options.ReceiveMaximum)
            .Add(PropertyId.MaximumPacketSize, (uint)options.PacketBytesMax)
            .Add(PropertyId.TopicAliasMaximum, options.TopicAliasMaximum);
        if (_isIdAssigned)
        {
            to.Add(PropertyId.AssignedClientIdentifier, _connect!.ClientId);
        }

        if (_queues!.ExpirySeconds != _connect!.SessionExpiry)
        {
            to.Add(PropertyId.SessionExpiryInterval, _queues.ExpirySeconds);
        }

        if (KeepAliveSeconds != _connect.KeepAlive)
        {
            to.Add(PropertyId.ServerKeepAlive, (uint)KeepAliveSeconds);
        }

        if (withResponseInformation)
        {
            to.Add(PropertyId.ResponseInformation, options.ResponseTopicPrefix + _connect.ClientId);
        }

        if (_login.Method is { } method)
        {
            to.Add(PropertyId.AuthenticationMethod, method);
            if (_lastAuthData is { } data)
            {
                to.Add(PropertyId.AuthenticationData, data.AsSpan());
            }
        }

        return to.Written.ToArray();
    }

    private void Refuse(ReasonCode reason, string text)
    {
        MqttVersion version = _connect?.Version ?? MqttVersion.V311;
        var properties = new PropertyWriter();
        if (text.Length > 0 && _connect is { RequestProblemInformation: true })
        {
            properties.Add(PropertyId.ReasonString, text);
        }

        if (reason == ReasonCode.UseAnotherServer && _environment.Options.ServerReference is { } server)
        {
            properties.Add(PropertyId.ServerReference, server);
        }

        var refusal = new ConnAckPacket
        {
            Reason = ReasonTable.For(PacketType.ConnAck, reason),
            Properties = properties.Written.ToArray(),
        };
        bool fits = refusal.BytesFor(version) <= (_connect?.MaximumPacketSize ?? uint.MaxValue);
        (fits ? refusal : refusal with { Properties = [] }).Write(Output, version);
    }

    private void OnDisconnect(DisconnectPacket packet)
    {
        if (packet.SessionExpiry is { } expiry)
        {
            if (expiry > 0 && _connect!.SessionExpiry == 0)
            {
                MqttException.Protocol("a session that ends with its connection cannot be given more time");
            }

            _queues!.ExpirySeconds = Math.Min(expiry, _environment.Options.SessionExpirySecondsMax);
        }

        // With any other reason, an error of the client's too, the will is published (§3.1.2.5, §3.14.4).
        if (packet.Reason == ReasonCode.Success)
        {
            _session!.ForgetWill();
        }

        State = EndpointState.Ended;
    }
}
