using System.IO.Pipelines;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt;
using Pillarbox.Transport;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>
/// A node and two MQTT clients on one thread, with sessions that go on: connections are cut, the node crashes and
/// restarts, as the seed says. At the end everything is healed, and of what was published each number of QoS 1 has come
/// at least once, each of QoS 2 exactly once, both in their order.
/// </summary>
internal sealed class MqttSimulation : IDisposable
{
    private const int RoundsMax = 5000;
    private const int ActionsPerRound = 10_000;
    private const int RoundsOfQuiet = 4;

    private readonly SeededRandom _random;
    private readonly SimNode _node;
    private readonly MqttPublisher _publisher;
    private readonly MqttSubscriber _subscriber;

    public MqttSimulation(ulong seed)
    {
        _random = new SeededRandom(seed);
        _node = new SimNode(_random, Engine);
        _publisher = new MqttPublisher(_node, _random);
        _subscriber = new MqttSubscriber(_node, _random);
    }

    public int Faults { get; private set; }

    public int Messages => _publisher.Published.Sum();

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
        }
        catch (Violation e) when (Environment.GetEnvironmentVariable("PILLARBOX_SIM_SEED") is not null)
        {
            throw new Violation($"{e.Message}\npublisher: {string.Join("; ", _publisher.Story)}\n"
                + $"subscriber: {string.Join("; ", _subscriber.Story)}");
        }
    }

    public void Dispose() => _node.Dispose();

    private static (IDisposable Handler, Func<PeerInfo, IDuplexPipe, Task> Serve) Engine(
        MessageBroker broker, SimClock clock, SimLog log, IRandom random)
    {
        var options = new MqttOptions
        {
            HandshakeTimeoutMs = int.MaxValue,
            KeepAliveSecondsMax = 0,
            SystemTopicsIntervalMs = 0,
            InFlightMax = (ushort)(2 + random.Next(20)),
        };
        var handler = new MqttConnectionHandler(broker, options, new SaslServers(null, random), clock, log, random);
        return (handler, handler.RunAsync);
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 35:
                for (int i = _random.Next(20); i > 0 && _node.Scheduler.RunOne(_random); i--)
                {
                }

                break;
            case < 60:
                _ = _random.Next(2) == 0 ? _publisher.Move() : _subscriber.Move();
                break;
            case < 78:
                Act();
                break;
            case < 88:
                _node.Pump();
                break;
            case < 92:
                _node.Clock.Advance(1 + _random.Next(300));
                break;
            case < 97:
                Connect();
                break;
            case 97:
                Faults++;
                (_random.Next(2) == 0 ? (MqttClient)_publisher : _subscriber).Cut();
                break;
            case 98 when _random.Next(2) == 0:
                Crash();
                break;
        }
    }

    private void Act()
    {
        if (_random.Next(2) == 0)
        {
            _subscriber.Act();
        }
        else if (_subscriber.IsSubscribed)
        {
            _publisher.Act();
        }
    }

    private void Connect()
    {
        foreach (MqttClient client in (MqttClient[])[_publisher, _subscriber])
        {
            if (!client.HasConnection)
            {
                client.Connect();
            }
        }
    }

    private void Crash()
    {
        Faults++;
        if (_random.Next(4) == 0)
        {
            _publisher.Story.Add("the node stops");
            _subscriber.Story.Add("the node stops");
            _node.StopAndStart();
        }
        else
        {
            _publisher.Story.Add("the node crashes");
            _subscriber.Story.Add("the node crashes");
            _node.Crash();
        }

        _publisher.Forget();
        _subscriber.Forget();
    }

    // Nothing fails any more: all that is under way comes to its end.
    private void Finish()
    {
        int quiet = 0;
        for (int round = 0; quiet < RoundsOfQuiet; round++)
        {
            Violation.Unless(round < RoundsMax, $"{_publisher.UnderWay} messages are under way and stay so");
            Connect();
            for (int i = 0; _node.Scheduler.RunOne(_random); i++)
            {
                Violation.Unless(i < ActionsPerRound, "the node spins");
            }

            bool moved = _publisher.Move() | _subscriber.Move();
            _subscriber.Act();
            _node.Pump();
            _node.Clock.Advance(50);
            quiet = moved || _publisher.UnderWay > 0 || !_subscriber.IsConnected ? 0 : quiet + 1;
        }
    }

    private void Check()
    {
        Expect(_publisher.Published[1], _subscriber.Once, "QoS 1");
        Expect(_publisher.Published[2], _subscriber.Exactly, "QoS 2");
    }

    private static void Expect(int published, List<int> came, string what)
    {
        int[] missing = [.. Enumerable.Range(0, published).Except(came).Take(10)];
        Violation.Unless(missing.Length == 0, $"{what}: {string.Join(',', missing)} of {published} never came");
        int[] twice = [.. came.GroupBy(n => n).Where(group => group.Count() > 1).Select(group => group.Key).Take(10)];
        Violation.Unless(twice.Length == 0, $"{what}: {string.Join(',', twice)} came twice");
        Violation.Unless(came.SequenceEqual(came.Order()), $"{what}: out of order");
    }
}
