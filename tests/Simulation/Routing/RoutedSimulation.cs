using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>
/// A network of whole nodes and their clients on one thread. Calm times, when every promise of a whole network is held,
/// take turns with times in which lines are cut and silent, nodes die and start again, and clients go in the middle of
/// a message. In the end everything is healed, every outcome has been heard, the clients go, and nothing is left of
/// them.
/// </summary>
internal sealed class RoutedSimulation : IDisposable
{
    private const int HealMs = 12_000;
    private const int PatienceMs = 40_000;
    private const int RestartMsMin = 1100;
    private static readonly string[] Addresses = ["q.0", "q.1", "near.0", "all.0"];

    private readonly RoutedWorld _world;
    private readonly List<(long AtMs, Action What)> _later = [];
    private int _clients;
    private int _calmFrom;

    public RoutedSimulation(ulong seed, RoutedBreach breach = RoutedBreach.None) =>
        _world = new RoutedWorld(seed) { Breach = breach };

    public RoutedLedger Ledger => _world.Ledger;

    public int Faults { get; private set; }

    public void Run(int turns, int steps)
    {
        try
        {
            _world.Build();
            for (int turn = 0; turn < turns; turn++)
            {
                BeCalm();
                BeRough(steps);
                Heal();
            }

            BeCalm();
            End();
        }
        catch (Violation e)
        {
            string lines = string.Join(' ', _world.Lines);
            throw new Violation($"{e.Message}\n  at {_world.NowMs % 10_000_000} ms, lines {lines}");
        }
    }

    public void Dispose() => _world.Dispose();

    // ---- calm times

    private void BeCalm()
    {
        foreach (string address in Addresses)
        {
            EnsureReceiver(address);
            EnsureSender(address);
        }

        _world.PassUntil(
            static () => "receivers are attached", () => _world.Receivers.TrueForAll(r => r.IsAttached), PatienceMs);
        _world.Pass(3000);
        _world.PassUntil(
            () => "credit of " + string.Join(", ", _world.Senders.Where(s => !s.CanSend).Select(s => s.Describe()))
                + $" with {string.Join(", ", _world.Receivers)}",
            () => _world.Senders.TrueForAll(s => s.CanSend), PatienceMs);
        _calmFrom = Ledger.Count;
        _world.IsCalm = true;
        for (int i = 0; i < 40; i++)
        {
            ActSome();
            _world.MoveSome();
            _world.Clock.Advance(_world.Random.Next(5));
        }

        FinishAll();
        _world.IsCalm = false;
        CheckCalm();
    }

    private void CheckCalm()
    {
        foreach (Attempt attempt in Ledger.All.Skip(_calmFrom))
        {
            if (attempt.IsMulticast)
            {
                int wanted = _world.Receivers.Count(r => r.Address == attempt.Address);
                Violation.Unless(attempt.Arrivals.Count == wanted, $"not every one of {wanted} has {attempt}");
            }
            else
            {
                Violation.Unless(attempt.Arrivals.Count == 1, $"nobody has {attempt}");
            }
        }
    }

    // Everything is answered, and every outcome is heard.
    private void FinishAll()
    {
        long until = _world.NowMs + PatienceMs;
        while (!IsFinished())
        {
            Violation.Unless(_world.NowMs < until, $"it does not come to an end: {Unfinished()}");
            _world.Receivers.ForEach(static receiver => receiver.Act());
            _world.Pass(10);
        }
    }

    private bool IsFinished() =>
        _world.Senders.TrueForAll(s => s.UnderWay == 0) && _world.Receivers.TrueForAll(r => r.Open == 0)
        && Ledger.All.Skip(_calmFrom).All(a => !a.IsCalm || !a.IsPreSettled || a.Arrivals.Count >= WantedOf(a));

    private int WantedOf(Attempt attempt) =>
        attempt.IsMulticast ? _world.Receivers.Count(r => r.Address == attempt.Address) : 1;

    private string Unfinished()
    {
        IEnumerable<Attempt> open = Ledger.All.Skip(_calmFrom)
            .Where(a => a.IsCalm && (a.IsPreSettled ? a.Arrivals.Count < WantedOf(a) : a.Outcome == default)).Take(3);
        string there = string.Join(", ", _world.Receivers);
        return $"with {there}: " + string.Join(
            "; ", _world.Senders.Where(s => s.UnderWay > 0).Select(s => $"{s} waits for {s.UnderWay}").Concat(
                _world.Receivers.Where(r => r.Open > 0).Select(r => $"{r} has {r.Open}"))
                .Concat(open.Select(a => a.ToString())));
    }

    // ---- rough times

    private void BeRough(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Ledger.Step++;
            ActSome();
            _world.MoveSome();
            _world.Clock.Advance(_world.Random.Next(40));
            DoLater();
            if (_world.Random.Next(12) == 0)
            {
                Fault();
            }
        }
    }

    private void ActSome()
    {
        foreach (RoutedPeer peer in _world.Peers)
        {
            if (_world.Random.Next(3) == 0)
            {
                peer.Act();
            }
        }
    }

    private void Fault()
    {
        Faults++;
        RoutedLine line = Any(_world.Lines);
        switch (_world.Random.Next(9))
        {
            case 0 or 1:
                line.Wire?.Cut(rudely: true);
                break;
            case 2:
                line.IsDown = true;
                line.Wire?.Cut(rudely: false);
                Later(_world.Random.Next(8000), () => line.IsDown = false);
                break;
            case 3:
                line.IsSilent = true;
                Later(_world.Random.Next(6000), () => line.IsSilent = false);
                break;
            case 4:
                Kill(Any(_world.Nodes));
                break;
            case 5 or 6:
                Leave();
                break;
            default:
                Join();
                break;
        }
    }

    private void Kill(RoutedNode node)
    {
        if (!node.IsAlive)
        {
            return;
        }

        foreach (RoutedPeer peer in _world.Peers.Where(peer => peer.Node == node).ToArray())
        {
            peer.Forget();
        }

        DropTheGone();
        node.Kill();
        Later(RestartMsMin + _world.Random.Next(3000), () => Restart(node));
    }

    private static void Restart(RoutedNode node)
    {
        if (!node.IsAlive)
        {
            node.Start();
        }
    }

    private void Leave()
    {
        RoutedPeer[] peers = [.. _world.Peers];
        if (peers.Length > 0)
        {
            peers[_world.Random.Next(peers.Length)].Leave(rudely: _world.Random.Next(2) == 0);
            DropTheGone();
        }
    }

    private void Join()
    {
        if (_world.Peers.Count() < 16)
        {
            string address = Addresses[_world.Random.Next(Addresses.Length)];
            if (_world.Random.Next(2) == 0)
            {
                AddReceiver(address);
            }
            else
            {
                AddSender(address);
            }
        }
    }

    private void DropTheGone()
    {
        _world.Senders.RemoveAll(static sender => !sender.IsAlive);
        _world.Receivers.RemoveAll(static receiver => !receiver.IsAlive);
    }

    private void Heal()
    {
        _calmFrom = Ledger.Count;
        _later.ForEach(static later => later.What());
        _later.Clear();
        foreach (RoutedLine line in _world.Lines)
        {
            (line.IsDown, line.IsSilent) = (false, false);
        }

        _world.Nodes.ForEach(Restart);
        _world.Pass(HealMs);
        FinishAll();
    }

    // ---- the end

    private void End()
    {
        foreach (RoutedPeer peer in _world.Peers.ToArray())
        {
            peer.Leave(rudely: _world.Random.Next(2) == 0);
        }

        DropTheGone();
        _world.Pass(4000);
        foreach (RoutedNode node in _world.Nodes)
        {
            CheckEmpty(node);
        }
    }

    // Of clients that are gone nothing is left: no link, no address, nothing that counts as under way; the links
    // between routers have all their credit.
    private void CheckEmpty(RoutedNode node)
    {
        foreach (LinkFacts link in node.Handler.Describe().Links)
        {
            bool isClients = link.Address is { } address && Addresses.Contains(address);
            Violation.Unless(!isClients, $"{node.Id} still has the link {link}");
            Violation.Unless(link.Undelivered == 0 && link.Unsettled == 0, $"{node.Id} still has something for {link}");
            bool isWhole = !link.IsIncoming || !link.IsTrunk || link.Credit > link.Capacity - (link.Capacity / 8) - 1;
            Violation.Unless(isWhole && link.Credit <= link.Capacity, $"{node.Id} has lost credit of {link}");
        }

        foreach (AddressView address in node.Network.View().Addresses)
        {
            bool isClients = address.Key.Length > 2 && Addresses.Contains(address.Key[2..]);
            Violation.Unless(!isClients, $"{node.Id} still has the address {address.Key}: {address}");
            Violation.Unless(
                address.TransitOutstanding.All(load => load == 0), $"{node.Id} counts what is not there: {address}");
        }
    }

    // ---- clients

    private void EnsureReceiver(string address)
    {
        if (!_world.Receivers.Exists(receiver => receiver.Address == address))
        {
            AddReceiver(address);
        }
    }

    private void EnsureSender(string address)
    {
        if (!_world.Senders.Exists(sender => sender.Address == address))
        {
            AddSender(address);
        }
    }

    private void AddReceiver(string address)
    {
        if (AnyAlive() is { } node)
        {
            _world.Receivers.Add(new RoutedReceiver(_world, node, $"receiver-{_clients++} of {address}", address));
        }
    }

    private void AddSender(string address)
    {
        if (AnyAlive() is { } node)
        {
            bool isPreSettled = _world.Random.Next(4) == 0;
            string name = $"sender-{_clients++} to {address}";
            _world.Senders.Add(new RoutedSender(_world, node, name, address, isPreSettled));
        }
    }

    private RoutedNode? AnyAlive()
    {
        RoutedNode[] alive = [.. _world.Nodes.Where(node => node.IsAlive)];
        return alive.Length == 0 ? null : alive[_world.Random.Next(alive.Length)];
    }

    private void Later(int ms, Action what) => _later.Add((_world.NowMs + ms, what));

    private void DoLater()
    {
        foreach ((long atMs, Action what) in _later.Where(later => later.AtMs <= _world.NowMs).ToArray())
        {
            _later.Remove((atMs, what));
            what();
        }
    }

    private T Any<T>(List<T> of) => of[_world.Random.Next(of.Count)];
}
