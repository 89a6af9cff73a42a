using System.Globalization;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>
/// Lives, and leaves a will with the number of its life; some wills wait. Whether the will of a life has to come, must
/// not, or may, follows from how the life ended and from what became of the node.
/// </summary>
internal sealed class MqttMortal(SimNode node, IRandom random) : MqttClient(node, random, "mortal")
{
    public const string Topic = "w";

    /// <summary>How long a will waits that does.</summary>
    public const int DelayMs = (int)DelaySeconds * 1000;

    private const uint DelaySeconds = 2;
    private int _life = -1;
    private readonly HashSet<int> _waiting = [];

    /// <summary>Lives.</summary>
    public int Lives => _life + 1;

    /// <summary>Lives whose wills must come.</summary>
    public HashSet<int> Due { get; } = [];

    /// <summary>Its will waits, or is to wait when it is cut off.</summary>
    public bool HasWillThatWaits => _waiting.Contains(_life) && (IsConnected || !HasConnection);

    /// <summary>Lives that ended in peace.</summary>
    public HashSet<int> Peaceful { get; } = [];

    protected override MqttVersion Version => MqttVersion.V5;

    /// <inheritdoc/>
    public override void Act()
    {
        if (IsConnected && !HasSaidGoodbye && Random.Next(20) == 0)
        {
            Story.Add($"life {_life} says goodbye");
            HasSaidGoodbye = true;
            Send(to => new DisconnectPacket(ReasonCode.Success).Write(to, Version));
        }
    }

    /// <inheritdoc/>
    public override void Cut()
    {
        if (IsConnected && !HasSaidGoodbye)
        {
            Due.Add(_life);
        }

        HasSaidGoodbye = false;
        base.Cut();
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        if (HasSaidGoodbye)
        {
            // The node has answered by ending the connection, unless it had another reason.
            HasSaidGoodbye = false;
            if (!HasStray && !Node.IsFailing)
            {
                Peaceful.Add(_life);
            }
        }

        base.Forget();
    }

    /// <summary>The node is gone: what had not come by then may be lost, or come yet.</summary>
    public void LoseNode()
    {
        HasSaidGoodbye = false;
        Due.Clear();
        Forget();
    }

    protected override ConnectPacket Admission(ConnectPacket plain)
    {
        bool anew = Random.Next(3) == 0;
        if (!anew)
        {
            // In time it keeps back the will that waits, later not.
            Due.ExceptWith(_waiting);
        }

        _life++;
        bool waits = Random.Next(2) == 0;
        if (waits)
        {
            _waiting.Add(_life);
        }

        Story.Add($"life {_life}{(anew ? " begins anew" : "")}{(waits ? ", its will waits" : "")}");
        return plain with
        {
            CleanStart = anew,
            SessionExpiry = waits ? 3600u : 0,
            Will = new WillMessage
            {
                Topic = Topic,
                Payload = Encoding.ASCII.GetBytes(_life.ToString(CultureInfo.InvariantCulture)),
                Qos = 2,
                DelayInterval = waits ? DelaySeconds : 0u,
            },
        };
    }

    protected override void OnConnected(bool isSessionPresent)
    {
    }

    // A stray CONNECT takes over from the one that came later (3.1.4-3).
    protected override void OnPacket(in FixedHeader header, byte[] body) =>
        Violation.Unless(
            header.Type == PacketType.Disconnect && (Node.IsFailing || HasStray),
            $"the mortal hears {header.Type} of {Convert.ToHexString(body)}: {string.Join("; ", Story.TakeLast(8))}");
}
