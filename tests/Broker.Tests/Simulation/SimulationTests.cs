using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Simulation;

/// <summary>
/// Random clients against one broker on one thread, with power cuts and clean restarts, checked against what the
/// clients were told.
/// One seed is one life; PILLARBOX_SEED replays it.
/// </summary>
public sealed class SimulationTests
{
    private static readonly int Lives = int.TryParse(Environment.GetEnvironmentVariable("PILLARBOX_LIVES"),
        out int given) ? given : 60;
    private static readonly string[] Queues = ["q0", "q1", "q2"];

    [Fact]
    public void Nothing_acknowledged_is_lost_and_nothing_settled_returns_over_power_cuts()
    {
        SeededRandom seeds = Seeds.New(out string seed);
        bool replay = Environment.GetEnvironmentVariable("PILLARBOX_LIFE") is not null;
        for (int life = 0; life < (replay ? 1 : Lives); life++)
        {
            ulong number = replay
                ? ulong.Parse(Environment.GetEnvironmentVariable("PILLARBOX_LIFE")!,
                    System.Globalization.CultureInfo.InvariantCulture)
                : seeds.NextUInt64();
            Live(new SeededRandom(number), $"{seed} (PILLARBOX_LIFE={number})");
        }
    }

    private static void Live(SeededRandom random, string seed)
    {
        Ledger ledger = new();
        HandClock clock = new();
        RecordingFileSystem files = new();
        MessageBroker broker = Open(files, clock, random);
        for (int era = 0; era < 6; era++)
        {
            Act(broker, clock, random, ledger);
            if (random.Next(4) == 0)
            {
                broker.Dispose();
            }
            else
            {
                files = new RecordingFileSystem(files.MakeCrashImage(new SeededCrash(random)));
            }

            broker = Open(files, clock, random);
            ledger.Check(Census(broker, clock), seed);
        }

        broker.Dispose();
    }

    private static void Act(MessageBroker broker, HandClock clock, SeededRandom random, Ledger ledger)
    {
        SimulatedClient[] clients = [.. Enumerable.Range(0, 3).Select(i =>
            new SimulatedClient(broker, ledger, random, $"c{i}"))];
        int steps = 50 + random.Next(400);
        for (int step = 0; step < steps; step++)
        {
            clients[random.Next(clients.Length)].Act(Queues);
            if (random.Next(8) == 0)
            {
                clock.Advance(random.Next(100));
                broker.Pump();
            }
        }
    }

    private static MessageBroker Open(RecordingFileSystem files, HandClock clock, SeededRandom random) =>
        MessageBroker.Open(new BrokerOptions
        {
            FileSystem = files,
            DataDirectory = "data",
            Time = clock,
            Random = new SeededRandom(random.NextUInt64()),
            Shards = 2,
            OwnThreads = false,
            SegmentBytes = 16 << 10,
            SnapshotBytesMin = 32 << 10,
            AddressSettings = new Dictionary<string, AddressSettings> { ["#"] = new() { MaxDeliveryAttempts = 2 } },
        });

    /// <summary>All messages of all queues, in the order of each queue.</summary>
    private static List<(string Queue, string Body)> Census(MessageBroker broker, HandClock clock)
    {
        List<(string, string)> held = [];
        Looker looker = new(broker);
        foreach (string queue in Queues.Append("DLQ"))
        {
            held.AddRange(looker.Look(queue, () =>
            {
                clock.Advance(50);
                broker.Pump();
            }));
        }

        looker.Client.Dispose();
        return held;
    }

    private sealed class Looker : IClientEvents, IWakeable
    {
        private readonly List<Delivery> _seen = [];

        public Looker(MessageBroker broker) => Client = broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "looker", Protocol = "simulation" }, this);

        public BrokerClient Client { get; }

        public IEnumerable<(string Queue, string Body)> Look(string queue, Action pump)
        {
            _seen.Clear();
            if (Client.FindQueue(queue) is null)
            {
                return [];
            }

            Consumer consumer = Client.OpenConsumer(new ConsumerOptions { Queue = queue, Browse = true });
            Client.Grant(consumer, int.MaxValue);
            for (int i = 0; i < 4; i++)
            {
                Client.Flush();
                pump();
                Client.DrainInbox(this, int.MaxValue);
            }

            Client.CloseConsumer(consumer, countAttempts: false);
            return [.. _seen.Select(delivery => (queue, BodyOf(delivery)))];
        }

        public void OnDelivery(in Delivery delivery) => _seen.Add(delivery);

        public void OnPublished(Producer producer, ulong tag, BrokerException? error)
        {
        }

        public void OnProducerCredit(Producer producer, int credit)
        {
        }

        public void OnDrained(Consumer consumer, int unusedCredit)
        {
        }

        public void OnSettled(ulong tag)
        {
        }

        public void OnDischarged(Transactions.Transaction transaction, ulong tag, BrokerException? error)
        {
        }

        public void OnConsumerClosed(Consumer consumer, BrokerException reason)
        {
        }

        public void OnProducerClosed(Producer producer, BrokerException reason)
        {
        }

        public void OnCloseRequested(BrokerException reason)
        {
        }

        public void Wake()
        {
        }

        private string BodyOf(Delivery delivery)
        {
            if (!Client.TryRead(delivery, out MessageLease lease))
            {
                lease = Client.ReadAsync(delivery, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }

            using (lease)
            {
                return Encoding.UTF8.GetString(lease.Payload.Span).TrimEnd();
            }
        }
    }
}
