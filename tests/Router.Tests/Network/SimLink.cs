namespace Pillarbox.Router.Tests.Network;

/// <summary>
/// A connection between two nodes. Like TCP it keeps order and loses nothing while it is up; a silent one keeps what is
/// sent until it speaks again or is cut.
/// </summary>
internal sealed class SimLink(SimNode left, SimNode right, int cost, int delayMs)
{
    public SimNode Left { get; } = left;

    public SimNode Right { get; } = right;

    public int Cost { get; set; } = cost;

    public int DelayMs { get; } = delayMs;

    public bool IsUp { get; set; }

    public bool IsSilent { get; set; }

    /// <summary>Counts connections: what was sent on an earlier one is lost.</summary>
    public int Epoch { get; set; }

    /// <summary>The ids that its ends know the present connection by.</summary>
    public int LeftId { get; set; }

    public int RightId { get; set; }

    public Queue<(SimNode To, ReadOnlyMemory<byte> Message)> Held { get; } = [];

    /// <summary>Messages pass.</summary>
    public bool Carries => IsUp && !IsSilent && Left.IsAlive && Right.IsAlive;

    public int IdAt(SimNode node) => node == Left ? LeftId : RightId;

    public SimNode Other(SimNode node) => node == Left ? Right : Left;

    public override string ToString() => $"{Left.Id}-{Right.Id}({Cost})";
}
