using System.Buffers.Binary;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Fuzz.Router;

/// <summary>
/// The control plane of a router: a story of links, time and messages. Whatever comes, nothing escapes, what is sent is
/// well formed and bounded, and the snapshot agrees with itself.
/// </summary>
internal sealed class RouterControlTarget : IFuzzTarget
{
    private const int Links = 3;

    /// <summary>What one message may cause: an answer, or a copy for each link, and what is due.</summary>
    private const int SendsMax = 3 * RouterLimits.RoutersMax;

    // One input may have the ways of a full network computed several times.
    public long AllocatedBytesMax => 32 << 20;

    // Each step: what to do, how long the message is, the message.
    public byte[] Make(Random random)
    {
        var grammar = new RouterControlGrammar(random);
        List<byte> steps = [];
        for (int i = random.Next(2, 12); i > 0; i--)
        {
            byte[] message = random.Next(4) == 0 ? [] : grammar.Message();
            steps.Add((byte)(message.Length > 0 ? random.Next(Links) : random.Next(256)));
            steps.AddRange([(byte)(message.Length >> 8), (byte)message.Length, .. message]);
        }
        return [.. steps];
    }

    public void Take(byte[] input)
    {
        var engine = new RouterEngine(new RouterOptions { Id = "A", Instance = 7 });
        var output = new RouterOutput();
        long nowMs = 0;
        engine.OnLinkUp(0, 0, 1);
        engine.OnLinkUp(0, 1, 2);
        ReadOnlyMemory<byte> left = input;
        while (left.Length >= 3)
        {
            byte what = left.Span[0];
            int length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(left.Span[1..]), left.Length - 3);
            Step(engine, what, left.Slice(3, length), ref nowMs);
            left = left[(3 + length)..];
            Check(engine, output, nowMs);
        }
    }

    private static void Step(RouterEngine engine, byte what, ReadOnlyMemory<byte> message, ref long nowMs)
    {
        if (message.Length > 0)
        {
            engine.OnControl(nowMs, what % Links, message);
            return;
        }
        switch (what % 5)
        {
            case 0:
                engine.OnLinkUp(nowMs, what % Links, 1 + (what / 16));
                break;
            case 1:
                engine.OnLinkDown(nowMs, what % Links);
                break;
            case 2:
                engine.AddLocal(nowMs, $"M0{what}", AddressTreatment.Balanced);
                break;
            default:
                nowMs += what * 16;
                engine.Tick(nowMs);
                break;
        }
    }

    private static void Check(RouterEngine engine, RouterOutput output, long nowMs)
    {
        engine.Drain(output);
        Require(engine.DueMs >= nowMs, "it is due in the past");
        Require(output.Sends.Count <= SendsMax, "it says too much");
        Require(output.Events.Count <= RouterLimits.EventsMax, "too many events");
        foreach (ControlSend send in output.Sends)
        {
            bool isRead = ControlReader.TryRead(send.Message, out _, out string? fault, "A");
            Require(isRead, "it sends what it cannot read: " + fault);
        }
        RouteSnapshot snapshot = engine.Snapshot;
        Require(snapshot.Routers.Length < RouterLimits.RoutersMax, "too many routers");
        foreach ((string key, RemoteAddress address) in snapshot.Addresses)
        {
            Require(address.Routers != 0 && (address.Routers & ~snapshot.Reachable) == 0, key + " is at nobody");
        }
        foreach (RouterRoute route in snapshot.Routers.Where(r => r.NextHopId is not null))
        {
            Require(snapshot.ById[route.NextHopId!].OwnLink == route.NextHopLink, "a next hop is no neighbour");
        }
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException(what);
        }
    }
}
