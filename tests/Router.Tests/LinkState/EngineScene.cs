using System.Collections.Immutable;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

/// <summary>One engine, called A, with scripted neighbours: what they say goes in, what it answers comes out.</summary>
internal sealed class EngineScene
{
    public const long Instance = 1_700_000_000;

    public EngineScene() => Engine = new RouterEngine(new RouterOptions { Id = "A", Instance = Instance });

    public RouterEngine Engine { get; }

    public RouterOutput Output { get; } = new();

    public long NowMs { get; private set; }

    /// <summary>Every message since the last look.</summary>
    public List<(int Link, ControlEnvelope Envelope)> Said { get; } = [];

    public List<RouterEvent> Events { get; } = [];

    public List<AddressChange> Changes { get; } = [];

    /// <summary>Lets time pass, ticking whenever the engine wants it.</summary>
    public void Pass(long ms)
    {
        long until = NowMs + ms;
        while (NowMs < until)
        {
            NowMs = Math.Min(until, Math.Max(NowMs + 1, Engine.DueMs));
            Engine.Tick(NowMs);
            Drain();
        }
    }

    public void Up(int link, int cost = 1)
    {
        Engine.OnLinkUp(NowMs, link, cost);
        Drain();
    }

    public void Down(int link)
    {
        Engine.OnLinkDown(NowMs, link);
        Drain();
    }

    public void Hello(int link, string id, params string[] seen) => HelloOf(link, id, Instance, seen);

    public void HelloOf(int link, string id, long instance, params string[] seen) =>
        Hear(link, new ControlAddress(ControlService.Hello, null), new Hello(id, instance, [.. seen]));

    /// <summary>Neighbour <paramref name="id"/> comes up on a link.</summary>
    public void Join(int link, string id, int cost = 1)
    {
        Up(link, cost);
        Hello(link, id, "A");
    }

    public void Ra(int link, string id, long lsSeq, long mobileSeq, long instance = Instance) =>
        Hear(link, To(ControlService.Router, "all"), new RouterAdvertisement(id, instance, lsSeq, mobileSeq));

    public void Lsu(int link, string id, long lsSeq, params (string Id, int Cost)[] peers)
    {
        ImmutableArray<PeerCost> costs = [.. peers.Select(p => new PeerCost(p.Id, p.Cost))];
        Hear(link, To(ControlService.Router, "A"), new LinkStateUpdate(id, Instance, lsSeq, costs));
    }

    public void MauAdd(int link, string id, long seq, params string[] keys) =>
        Mau(link, new MobileAddressUpdate(id, seq, false, Hints(keys), []));

    public void MauDel(int link, string id, long seq, params string[] keys) =>
        Mau(link, new MobileAddressUpdate(id, seq, false, [], [.. keys]));

    public void MauAll(int link, string id, long seq, params string[] keys) =>
        Mau(link, new MobileAddressUpdate(id, seq, true, Hints(keys), []));

    public void Hear(int link, in ControlAddress to, ControlMessage message) =>
        HearBytes(link, ControlWriter.Write(to, message));

    public void HearBytes(int link, byte[] message)
    {
        Engine.OnControl(NowMs, link, message);
        Drain();
    }

    public static ControlAddress To(ControlService service, string router) => new(service, router);

    /// <summary>What was said since the last look, of one kind.</summary>
    public List<(int Link, T Message)> Take<T>()
        where T : ControlMessage
    {
        List<(int, T)> found =
        [
            .. Said.Where(s => s.Envelope.Message is T).Select(s => (s.Link, (T)s.Envelope.Message!)),
        ];
        Said.Clear();
        return found;
    }

    public string Opcodes()
    {
        string all = string.Join(' ', Said.Select(s => s.Envelope.Message!.Opcode));
        Said.Clear();
        return all;
    }

    private void Mau(int link, MobileAddressUpdate update) =>
        Hear(link, To(ControlService.MobileAddress, update.IsAbsolute ? "A" : "all"), update);

    private static ImmutableArray<AddressHint> Hints(string[] keys) =>
        [.. keys.Select(k => new AddressHint(k, AddressTreatment.Balanced))];

    private void Drain()
    {
        Engine.Drain(Output);
        foreach (ControlSend send in Output.Sends)
        {
            Assert.True(ControlReader.TryRead(send.Message, out ControlEnvelope? envelope, out string? fault), fault);
            Said.Add((send.LinkId, envelope));
        }
        Events.AddRange(Output.Events);
        Changes.AddRange(Output.Changes);
    }
}
