using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>Reads one partition from its start, and begins anew now and then.</summary>
internal sealed class PlainReader(
    StreamWorld world, string name, string stream, int number, bool isCommitted) : StreamClient(world, name)
{
    private ReaderLife? _life;
    private long _offset;

    public override bool IsDone => true;

    public override void Step()
    {
        Partition partition = World.Find(stream, number);
        if (_life is null || World.Random.Next(200) == 0)
        {
            _life = World.History.BeginLife(Name, isCommitted);
            _offset = partition.StartOffset;
        }

        RecordPage page = RecordPage.Read(
            World, stream, number, _offset, isCommitted, 1 << (6 + World.Random.Next(8)));
        if (page.Error == StreamError.OffsetOutOfRange)
        {
            bool isBelow = _offset < partition.StartOffset;
            Violation.Unless(isBelow, $"{Name} reads {_offset}, the partition ends at {partition.EndOffset}");
            _life = null;
            return;
        }

        if (page.Error == StreamError.None && page.Records.Count > 0)
        {
            _life.Poll(page.Records);
        }

        _offset = page.NextOffset;
    }
}

/// <summary>Asks for the offset that transactions commit.</summary>
internal sealed class OffsetWatcher(StreamWorld world, string name) : StreamClient(world, name)
{
    private bool _isAsking;

    public override bool IsDone => !_isAsking;

    public override void NodeDied() => _isAsking = false;

    public override void Step()
    {
        if (_isAsking || World.IsEnding)
        {
            return;
        }

        Ask();
    }

    public void Ask()
    {
        long askedAt = World.Tick();
        OffsetFetchRequest request = new()
        {
            Member = new GroupMemberRef(TransactionalProducer.Group, -1, "", null),
            Partitions = [new TopicPartition(StreamWorld.Events, 0)],
            RequireStable = true,
        };
        World.Ask<OffsetFetchResult>(ref _isAsking, (all, done) => all.Groups.FetchOffsets(request, done), result =>
        {
            _isAsking = false;
            if (result.Error == CoordinatorError.None && result.Offsets[0].Error == CoordinatorError.None)
            {
                World.History.ReadOffset(
                    TransactionalProducer.Group, StreamWorld.NameOf(StreamWorld.Events, 0),
                    result.Offsets[0].Committed.Offset, askedAt, World.Tick());
            }
        });
    }
}
