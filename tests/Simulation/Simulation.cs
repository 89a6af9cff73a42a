using Pillarbox.Broker;
using Pillarbox.Model;

namespace Pillarbox.Simulation.Tests;

/// <summary>
/// A whole node and its clients on one thread: broker, AMQP engine, journal on a recorded disk, a hand clock and
/// connections in memory. The seed decides everything: what clients do, how bytes are cut, in which order the node goes
/// on, and what fails when. At the end all faults are healed, every queue is drained, and the ledger is held against
/// the promises.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private const int RoundsOfQuiet = 4;
    private const int RoundsMax = 5000;
    private const int ActionsPerRound = 10_000;
    private static readonly string[] Queues = ["q0", "q1", "q2"];

    private readonly SeededRandom _random;
    private readonly SimNode _node;
    private readonly Ledger _ledger = new();
    private readonly Disorder _disorder = new();
    private readonly List<SimPeer> _peers = [];
    private readonly List<SimTransactor> _transactors = [];
    private int _producers;

    public Simulation(ulong seed)
    {
        _random = new SeededRandom(seed);
        _node = new SimNode(_random);
    }

    /// <summary>Crashes and cuts so far.</summary>
    public int Faults { get; private set; }

    public int Messages => _ledger.Count;

    public int Deliveries => _ledger.Delivered;

    public void Run(int steps)
    {
        try
        {
            Play(steps);
        }
        catch (Violation e)
        {
            string disk = _node.IsFailing ? " (while syncs fail)" : _node.IsFull ? " (while the disk is full)" : "";
            var last = _ledger.NodeStory.TakeLast(12).Select(static told => $"{told.Step} {told.Event}");
            string story = string.Join("; ", last);
            throw new Violation($"{e.Message}{disk}, at step {_ledger.Step}, node: {story}");
        }
    }

    public void Dispose() => _node.Dispose();

    private void Play(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            _ledger.Step = i;
            Step();
            Reap();
            Violation.Unless(_node.Log.Finding is null, _node.Log.Finding);
        }

        Heal();
        ComeToRest();
        if (_random.Next(2) == 0)
        {
            Crash();
            ComeToRest();
        }

        Drain();
        _ledger.CheckEnd();
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 30:
                for (int i = _random.Next(20); i > 0 && _node.Scheduler.RunOne(_random); i--)
                {
                }

                break;
            case < 60:
                MoveSome();
                break;
            case < 75:
                Act();
                break;
            case < 85:
                _node.Pump();
                break;
            case < 90:
                _node.Clock.Advance(1 + _random.Next(200));
                break;
            case < 96:
                Connect();
                break;
            case 96 when _random.Next(2) == 0:
                Leave();
                break;
            case 97 when _random.Next(2) == 0:
                ComeToRest();
                break;
            case 98 when _random.Next(3) == 0:
                Crash();
                break;
            case 99:
                BreakDisk();
                break;
        }
    }

    private void MoveSome()
    {
        for (int i = 1 + _random.Next(8); i > 0; i--)
        {
            Pick(_peers)?.Move();
            Reap();
            Pick(_transactors)?.Pass();
        }
    }

    private void Act()
    {
        for (int i = 1 + _random.Next(6); i > 0; i--)
        {
            if (_random.Next(4) == 0)
            {
                Pick(_transactors)?.Act();
            }
            else
            {
                Pick(_peers)?.Act();
            }
        }
    }

    private void Connect()
    {
        string queue = Queues[_random.Next(Queues.Length)];
        if (_transactors.Count < 2 && _random.Next(4) == 0)
        {
            ConnectTransactor();
        }
        else if (_peers.Count < 8)
        {
            _peers.Add(_random.Next(2) == 0
                ? new SimSender(_node, _ledger, _random, queue, _producers++)
                : new SimReceiver(_node, _ledger, _random, queue, _producers++) { Disorder = _disorder });
        }
    }

    private void ConnectTransactor()
    {
        try
        {
            _transactors.Add(new SimTransactor(_node, _ledger, _random, Queues, _producers++));
        }
        catch (BrokerException) when (_node.IsFailing || _node.IsFull)
        {
            // A queue could not be made.
        }
    }

    private void Leave()
    {
        Faults++;
        if (_random.Next(5) == 0)
        {
            Pick(_transactors)?.Leave();
        }
        else
        {
            Pick(_peers)?.Leave();
        }
    }

    private void Crash()
    {
        Faults++;
        if (_random.Next(4) == 0 && !_node.IsFailing && !_node.IsFull)
        {
            _ledger.Note("STOP");
            _node.StopAndStart();
        }
        else
        {
            _ledger.Note("CRASH");
            _node.Crash();
        }

        _ledger.MayForgetHolders = false;
        _peers.ForEach(static peer => peer.Forget());
        _transactors.ForEach(static transactor => transactor.End());
        Reap();
    }

    private void Heal()
    {
        _node.FreeDisk();
        if (_node.IsFailing)
        {
            Crash();
        }
    }

    private void BreakDisk()
    {
        switch (_random.Next(8))
        {
            case 0:
                Faults++;
                _node.FailSyncs();
                _ledger.Note("SYNCS FAIL");
                _ledger.MayForgetHolders = true;
                break;
            case 1 or 2 when !_node.IsFull:
                Faults++;
                _node.FillDisk();
                _ledger.Note("DISK FULL");
                break;
            default:
                _node.FreeDisk();
                _ledger.Note("disk freed");
                break;
        }
    }

    /// <summary>The dead leave the stage; what they held goes back.</summary>
    private void Reap()
    {
        foreach (SimPeer peer in _peers.Where(static peer => !peer.IsAlive))
        {
            _ledger.Released(holder => holder == peer);
            if (peer is SimReceiver receiver)
            {
                _disorder.Begins(receiver.Queue);
            }
        }

        foreach (SimTransactor transactor in _transactors.Where(static transactor => !transactor.IsAlive))
        {
            _ledger.Released(holder => holder == transactor);
            _disorder.Begins(transactor.Queue);
        }

        _peers.RemoveAll(static peer => !peer.IsAlive);
        _transactors.RemoveAll(static transactor => !transactor.IsAlive);
    }

    /// <summary>Lets everything happen that can. Check: it ends.</summary>
    private void ComeToRest()
    {
        Reap();
        int rounds = 0;
        for (int quiet = 0; quiet < RoundsOfQuiet; quiet++)
        {
            while (Round())
            {
                quiet = 0;
                Violation.Unless(rounds++ < RoundsMax, "the node does not come to rest");
            }

            _node.Pump();
            _node.Clock.Advance(60);
        }

        if (!_node.IsFailing)
        {
            _ledger.Note("quiet");
            _ledger.Quiet();
        }

        _node.ForgetFull();
        _disorder.Ends();
    }

    /// <summary>All that is due now; false when no client saw anything of it.</summary>
    private bool Round()
    {
        bool busy = false;
        for (int i = 0; _node.Scheduler.RunOne(_random); i++)
        {
            Violation.Unless(i < ActionsPerRound, $"the node spins after {i} actions without rest");
        }

        foreach (SimPeer peer in _peers.ToArray())
        {
            busy |= peer.Move();
            Reap();
        }

        foreach (SimTransactor transactor in _transactors)
        {
            busy |= transactor.Pass();
        }

        Violation.Unless(_node.Log.Finding is null, _node.Log.Finding);
        return busy;
    }

    private void Drain()
    {
        _peers.ForEach(static peer => peer.Leave());
        _transactors.ForEach(static transactor => transactor.Leave());
        ComeToRest();
        Probe();
        foreach (string queue in (string[])[.. Queues, Ledger.DeadLetters])
        {
            _disorder.Begins(queue);
            var drain = new SimReceiver(_node, _ledger, _random, queue, _producers++, drains: true)
            {
                Disorder = _disorder,
            };
            _peers.Add(drain);
            ComeToRest();
            Violation.Unless(drain.IsAlive, "the last consumer was disconnected");
        }
    }

    /// <summary>Check: whatever happened, the node takes messages again.</summary>
    private void Probe()
    {
        foreach (string queue in Queues)
        {
            var probe = new SimSender(_node, _ledger, _random, queue, _producers++);
            _peers.Add(probe);
            ComeToRest();
            int before = _ledger.Count;
            probe.Act();
            Violation.Unless(_ledger.Count > before, $"a producer to {queue} gets no credit any more");
            ComeToRest();
            Violation.Unless(probe.UnderWay == 0, $"{probe.UnderWay} messages to {queue} get no answer");
        }
    }

    private T? Pick<T>(List<T> items)
        where T : class => items.Count == 0 ? null : items[_random.Next(items.Count)];
}
