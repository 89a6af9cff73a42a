using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>CONNECT and STOMP (1.2, "Connecting"), and CONNECTED.</content>
internal sealed partial class StompSession
{
    private const int SessionIdBytes = 8;

    private readonly StompLogin _login;

    /// <summary>What the peer has said of itself.</summary>
    public StompLogin Login => _login;

    /// <summary>What the node answers to the peer's heart-beats; the loop's timers say.</summary>
    public required Func<int, int, (int Sends, int Wants)> AnswerHeartbeat { get; init; }

    /// <summary>A login check that took long is done.</summary>
    public void OnSaslVerified(in SaslStep step)
    {
        bool isWanted = State == SessionState.LoggingIn;
        _login.OnVerified(step, isWanted);
        if (isWanted)
        {
            OnLogin();
        }
    }

    private void OnConnect(in FrameHead frame)
    {
        if (State != SessionState.Start)
        {
            throw new StompException("the connection is connected already");
        }

        Frames.Version = Version = _login.Read(frame);
        State = SessionState.LoggingIn;
        _login.Begin();
        OnLogin();
    }

    private void OnLogin()
    {
        if (_login.Refusal is { } refusal)
        {
            Fail(refusal, default, null);
        }
        else if (_login.Identity is not null)
        {
            Connect();
        }
    }

    private void Connect()
    {
        string session = RandomName();
        try
        {
            _client = Environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = _login.AddressSpace,
                    Identity = _login.Identity!,
                    ClientId = string.IsNullOrEmpty(_login.ClientId) ? $"stomp-{session}" : _login.ClientId,
                    Protocol = "stomp",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _wakeable);
        }
        catch (BrokerException refusal)
        {
            Fail(refusal.Message, default, null);
            return;
        }

        _reader.Limits = new FrameLimits(
            Options.HeadBytesMax, Options.HeadersMax, Options.AssembleBytesMax, Options.BodyBytesMax);
        (int sends, int wants) = AnswerHeartbeat(_login.PeerSendsMs, _login.PeerWantsMs);
        Frames.WriteConnected(Options.Server, session, sends, wants);
        State = SessionState.Connected;
    }

    private string RandomName()
    {
        Span<byte> bytes = stackalloc byte[SessionIdBytes];
        Environment.Random.Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
