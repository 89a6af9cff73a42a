using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>Sends numbered batches to all partitions, and sends again what has no answer.</summary>
internal sealed class IdempotentProducer(StreamWorld world, string name) : StreamClient(world, name)
{
    private readonly Dictionary<(string, int), SequencedWriter> _writers = [];
    private ProducerStamp? _stamp;
    private bool _isAsking;

    public override bool IsDone => _writers.Values.All(static writer => writer.IsIdle);

    public override void NodeDied()
    {
        _isAsking = false;
        foreach (SequencedWriter writer in _writers.Values)
        {
            writer.NodeDied();
        }
    }

    public override void Step()
    {
        if (_stamp is not { } stamp)
        {
            Init();
            return;
        }

        if (!World.IsEnding && World.Random.Next(2) == 0)
        {
            AddBatch();
        }

        foreach (SequencedWriter writer in _writers.Values)
        {
            StreamError error = writer.Send(stamp, false, false);
            if (error == StreamError.OutOfOrderSequence && World.Broken == BrokenPromise.Durability)
            {
                BeginAnew();
                return;
            }

            Violation.Unless(error == StreamError.None, $"{Name}'s batch to {writer.Partition} is refused: {error}");
        }
    }

    // The node has forgotten what it told: clients go on with another id then, and what is gone is found by its absence
    // among what comes later.
    private void BeginAnew()
    {
        _stamp = null;
        foreach (SequencedWriter writer in _writers.Values)
        {
            writer.Reset();
        }
    }

    private void Init()
    {
        if (_isAsking)
        {
            return;
        }

        World.Ask<ProducerResult>(
            ref _isAsking,
            (all, done) => all.Transactions.InitProducer(new InitProducerRequest(null, 0, ProducerStamp.None), done),
            result =>
            {
                _isAsking = false;
                _stamp = result.Error == CoordinatorError.None ? result.Producer : null;
            });
    }

    private void AddBatch()
    {
        (string stream, int number) = World.Pick();
        if (!_writers.TryGetValue((stream, number), out SequencedWriter? writer))
        {
            _writers[(stream, number)] = writer = new SequencedWriter(World, stream, number);
        }

        if (!writer.HasRoom)
        {
            return;
        }

        List<Sent> records = [];
        for (int i = 1 + World.Random.Next(3); i > 0; i--)
        {
            string value = World.NewValue(Name);
            string? key = stream == StreamWorld.Table ? $"k{World.Random.Next(8)}" : null;
            Unit unit = World.History.Begin(Name, false, World.Tick());
            records.Add(unit.Send(writer.Partition, value, World.Tick(), key));
        }

        writer.Add(records);
    }
}
