using System.IO.Pipelines;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Transport;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>
/// A node and MQTT clients on one thread, with sessions that go on: connections are cut, the node crashes and restarts,
/// its disk fails, as the seed says. At the end everything is healed, and of what was published each number of QoS 1
/// has come at least once, each of QoS 2 exactly once, both in their order; the same, without the order, to the
/// members of a shared subscription together; of what does not live long, or of a session that an operator purges, none
/// of QoS 2 came twice, and all came that was published after the last purge; the last retained messages are there;
/// wills came that had to, none came twice and none after a goodbye. With every other seed the topics are streams. In
/// half of the lives the node has few packet identifiers, so that each is soon used again.
/// </summary>
internal sealed class MqttSimulation : IDisposable
{
    private const int RoundsMax = 1000;
    private const int ActionsPerRound = 10_000;
    private const int RoundsOfQuiet = 4;
    private const int ActionsOfWill = 40;
    private const ushort FewIds = 32;
    private const string PurgedId = "purged";

    private readonly SeededRandom _random;
    private readonly SimNode _node;
    private readonly Arrivals _own = new();
    private readonly Arrivals _shared = new();
    private readonly Arrivals _left = new();
    private readonly MqttPublisher _publisher;
    private readonly MqttPublisher _sharer;
    private readonly MqttPublisher _purgedPublisher;
    private readonly MqttSubscriber _purged;
    private int[] _purgedUpTo = [0, 0, 0];
    private readonly MqttSubscriber _subscriber;
    private readonly MqttSubscriber[] _members;
    private readonly MqttRetainer _retainer;
    private readonly MqttMortal _mortal;
    private readonly MqttLatecomer _latecomer;
    private readonly MqttClient[] _clients;

    public MqttSimulation(ulong seed)
    {
        _random = new SeededRandom(seed);
        _node = new SimNode(_random, Engine);
        if (seed % 2 == 0)
        {
            MakeStreams("q.1", "q.2", "s.1", "s.2");
        }

        _publisher = new MqttPublisher(_node, _random, "q", hasShortLived: true);
        _purgedPublisher = new MqttPublisher(_node, _random, "p");
        _purged = new MqttSubscriber(_node, _random, PurgedId, _left, ("p/+", 2));
        _sharer = new MqttPublisher(_node, _random, "s");
        (string, byte)[] filters = _random.Next(2) == 0 ? [("q/1", 1), ("q/2", 2), ("q/3", 2)] : [("q/+", 2)];
        _subscriber = new MqttSubscriber(_node, _random, "subscriber", _own, [.. filters, (MqttMortal.Topic, 2)]);
        (string, byte)[] sharing = _random.Next(2) == 0 ? [("$share/g/s/#", 2)]
            : [("$share/g/s/1", 1), ("$share/g/s/2", 2)];
        _members = [.. Enumerable.Range(0, 2)
            .Select(i => new MqttSubscriber(_node, _random, $"member-{i}", _shared, sharing))];
        _retainer = new MqttRetainer(_node, _random);
        _mortal = new MqttMortal(_node, _random);
        _latecomer = new MqttLatecomer(_node, _random);
        _clients =
            [_publisher, _sharer, _purgedPublisher, _subscriber, .. _members, _purged, _retainer, _mortal];
    }

    public int Faults { get; private set; }

    public int Messages => _publisher.Published.Sum() + _sharer.Published.Sum() + _purgedPublisher.Published.Sum()
        + _mortal.Lives;

    private bool AreSubscribed => _subscriber.IsSubscribed && _purged.IsSubscribed
        && Array.TrueForAll(_members, one => one.IsSubscribed);

    private int UnderWay => _publisher.UnderWay + _sharer.UnderWay + _purgedPublisher.UnderWay
        + (_retainer.IsUnderWay ? 1 : 0) + _mortal.Due.Except(_own.Wills).Count();

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
            Violation.Unless(_node.Log.Finding is null, _node.Log.Finding);
        }

        try
        {
            Finish();
            Check();
            CheckRetained();
        }
        catch (Violation e) when (Environment.GetEnvironmentVariable("PILLARBOX_SIM_SEED") is not null)
        {
            string[] stories = [.. _clients.Select(c => $"{c.GetType().Name}: {string.Join("; ", c.Story)}")];
            throw new Violation($"{e.Message}\n{string.Join('\n', stories)}");
        }
    }

    public void Dispose() => _node.Dispose();

    private static (IDisposable Handler, Func<PeerInfo, IDuplexPipe, Task> Serve) Engine(
        MessageBroker broker, SimClock clock, SimLog log, IRandom random)
    {
        var options = new MqttOptions
        {
            LingerMs = 0,
            HandshakeTimeoutMs = int.MaxValue,
            KeepAliveSecondsMax = 0,
            SystemTopicsIntervalMs = 0,
            InFlightMax = (ushort)(2 + random.Next(20)),
            PacketIdMax = random.Next(2) == 0 ? FewIds : ushort.MaxValue,
        };
        var handler = new MqttConnectionHandler(broker, options, new SaslServers(null, random), clock, log, random);
        return (handler, handler.RunAsync);
    }

    private void MakeStreams(params string[] names)
    {
        foreach (string name in names)
        {
            Grant grant = _node.Broker.Authorizer.Authorize(
                Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));
            CatalogResult made = _node.Broker.Streams.Create(grant, new StreamSpec { Name = name, Partitions = 1 });
            Violation.Unless(made.Error == StreamError.None, $"no stream: {made.Message}");
        }

        _node.Pump();
    }

    private void Step()
    {
        switch (_random.Next(200))
        {
            case < 70:
                for (int i = _random.Next(20); i > 0 && _node.Scheduler.RunOne(_random); i--)
                {
                }

                break;
            case < 120:
                _clients[_random.Next(_clients.Length)].Move();
                _clients[_random.Next(_clients.Length)].Move();
                break;
            case < 156:
                Act();
                break;
            case < 176:
                _node.Pump();
                break;
            case < 184:
                _node.Clock.Advance(1 + _random.Next(300));
                break;
            case < 194:
                Connect();
                break;
            case < 196:
                Faults++;
                _clients[_random.Next(_clients.Length)].Cut();
                break;
            case 196 when _random.Next(3) == 0 && AreSubscribed:
                Purge();
                break;
            case 197 when _mortal.HasWillThatWaits && !_node.IsFailing:
                CrashOnWill();
                break;
            case 198 when _random.Next(_node.IsFailing ? 1 : 2) == 0:
                Crash();
                break;
            case 199 when _random.Next(6) == 0 && !_node.IsFailing:
                Faults++;
                Tell("syncs fail from now on");
                _node.FailSyncs();
                break;
        }
    }

    private void Act()
    {
        MqttClient client = _clients[_random.Next(_clients.Length)];
        if (client is MqttSubscriber || AreSubscribed)
        {
            client.Act();
        }
    }

    private void Connect()
    {
        foreach (MqttClient client in _clients)
        {
            if (!client.HasConnection && (client is not MqttMortal || AreSubscribed))
            {
                client.Connect();
            }
        }
    }

    private void Crash()
    {
        Faults++;
        if (_random.Next(4) == 0 && !_node.IsFailing)
        {
            Tell("the node stops");
            _node.StopAndStart();
        }
        else
        {
            Tell("the node crashes");
            _node.Crash();
        }

        foreach (MqttClient client in _clients)
        {
            if (client is MqttMortal mortal)
            {
                mortal.LoseNode();
            }
            else
            {
                client.Forget();
            }
        }
    }

    // It is done at once, though perhaps not on disk.
    private void Purge()
    {
        Tell("an operator purges");
        _purgedUpTo = [.. _purgedPublisher.Published];
        _ = _node.Broker.Management.PurgeAsync(Identity.Node, "default", SessionNames.Queue(PurgedId));
    }

    // The mortal is cut off, and the power goes when the time of its will has just come.
    private void CrashOnWill()
    {
        if (_mortal.HasConnection)
        {
            _mortal.Cut();
            RunAll();
            _node.Pump();
        }

        Tell("the time of a will comes");
        _node.Clock.Advance(MqttMortal.DelayMs);
        for (int i = _random.Next(ActionsOfWill); i > 0; i--)
        {
            _node.Scheduler.RunOne(_random);
            if (_random.Next(8) == 0)
            {
                _node.Pump();
            }
        }

        Crash();
    }

    private void Tell(string what)
    {
        foreach (MqttClient client in _clients)
        {
            client.Story.Add(what);
        }
    }

    // Nothing fails any more: all that is under way comes to its end. The mortal rests.
    private void Finish()
    {
        if (_node.IsFailing)
        {
            Crash();
        }

        MqttClient[] others = [.. _clients.Where(client => client is not MqttMortal)];
        int quiet = 0;
        for (int round = 0; quiet < RoundsOfQuiet; round++)
        {
            Violation.Unless(round < RoundsMax, $"{UnderWay} messages are under way and stay so");
            foreach (MqttClient client in others.Where(client => !client.HasConnection))
            {
                client.Connect();
            }

            RunAll();
            bool moved = false;
            foreach (MqttClient client in _clients)
            {
                moved |= client.Move();
            }

            _subscriber.Act();
            _purged.Act();
            Array.ForEach(_members, member => member.Act());
            _node.Pump();
            _node.Clock.Advance(50);
            bool isBusy = moved || UnderWay > 0 || !Array.TrueForAll(others, client => client.IsConnected);
            quiet = isBusy ? 0 : quiet + 1;
        }
    }

    private void RunAll()
    {
        for (int i = 0; _node.Scheduler.RunOne(_random); i++)
        {
            Violation.Unless(i < ActionsPerRound, "the node spins");
        }
    }

    private void Check()
    {
        Expect(_publisher.Published[1], _own.Once, "QoS 1", inOrder: true);
        Expect(_publisher.Published[2], _own.Exactly, "QoS 2", inOrder: true);
        Expect(_sharer.Published[1], _shared.Once, "shared QoS 1", inOrder: false);
        Expect(_sharer.Published[2], _shared.Exactly, "shared QoS 2", inOrder: false);
        ExpectOnce(_own.ShortLived, "what does not live long");
        ExpectOnce(_left.Exactly, "purged QoS 2");
        ExpectFrom(_purgedUpTo[1], _purgedPublisher.Published[1], _left.Once, "QoS 1 after a purge");
        ExpectFrom(_purgedUpTo[2], _purgedPublisher.Published[2], _left.Exactly, "QoS 2 after a purge");
        int[] twice = [.. _own.Wills.GroupBy(n => n).Where(group => group.Count() > 1).Select(group => group.Key)];
        Violation.Unless(twice.Length == 0, $"the wills of the lives {string.Join(',', twice)} came twice");
        int[] wrong = [.. _own.Wills.Intersect(_mortal.Peaceful)];
        Violation.Unless(wrong.Length == 0, $"wills came of the lives {string.Join(',', wrong)}, which ended in peace");
    }

    private void CheckRetained()
    {
        _latecomer.Connect();
        for (int quiet = 0, round = 0; quiet < RoundsOfQuiet; round++)
        {
            Violation.Unless(round < RoundsMax, "who comes late is never told");
            RunAll();
            bool moved = _latecomer.Move();
            _node.Pump();
            quiet = moved || !_latecomer.IsSubscribed ? 0 : quiet + 1;
        }

        string expected = string.Join(' ', _retainer.Last.OrderBy(one => one.Key));
        string heard = string.Join(' ', _latecomer.Heard.OrderBy(one => one.Key));
        Violation.Unless(expected == heard, $"retained is '{heard}', not '{expected}'");
    }

    private static void Expect(int published, List<int> came, string what, bool inOrder)
    {
        ExpectFrom(0, published, came, what);
        ExpectOnce(came, what);
        Violation.Unless(!inOrder || came.SequenceEqual(came.Order()), $"{what}: out of order");
    }

    private static void ExpectFrom(int first, int published, List<int> came, string what)
    {
        int[] missing = [.. Enumerable.Range(first, published - first).Except(came).Take(10)];
        Violation.Unless(missing.Length == 0, $"{what}: {string.Join(',', missing)} of {published} never came");
    }

    private static void ExpectOnce(List<int> came, string what)
    {
        int[] twice = [.. came.GroupBy(n => n).Where(group => group.Count() > 1).Select(group => group.Key).Take(10)];
        Violation.Unless(twice.Length == 0, $"{what}: {string.Join(',', twice)} came twice");
    }
}
