using System.Buffers;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// The producers that number their messages, those that are gone too: the newest <see cref="RememberedMax"/>. What a
/// message record says of its producer, and a part of the snapshot, bring them back. Any thread.
/// </summary>
internal sealed class ProducerMemories
{
    /// <summary>Producers that nobody uses now and that are remembered all the same; the oldest are forgotten
    /// beyond.</summary>
    public const int RememberedMax = 65_536;

    private const int KeyBytes = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, ProducerMemory> _all = [];
    private readonly Queue<ProducerMemory> _unused = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _all.Count;
            }
        }
    }

    /// <summary>The memory of a producer, for use until <see cref="Release"/>.</summary>
    public ProducerMemory Use(UInt128 key)
    {
        lock (_gate)
        {
            ProducerMemory memory = FindLocked(key);
            memory.Users++;
            return memory;
        }
    }

    /// <summary>It is not used any more; when its messages will not come again, it is forgotten.</summary>
    public void Release(ProducerMemory memory, bool isOver)
    {
        lock (_gate)
        {
            if (--memory.Users > 0)
            {
                return;
            }

            if (isOver || memory.Last == long.MinValue)
            {
                _all.Remove(memory.Key);
                return;
            }

            KeepLocked(memory);
        }
    }

    /// <summary>The journal has a message of a producer (0: of none); before anybody publishes.</summary>
    public void Recover(UInt128 key, long number)
    {
        if (key == 0)
        {
            return;
        }

        lock (_gate)
        {
            bool isNew = !_all.ContainsKey(key);
            ProducerMemory memory = FindLocked(key);
            memory.Advance(number);
            if (isNew)
            {
                KeepLocked(memory);
            }
        }
    }

    /// <summary>Writes them all as parts of a snapshot.</summary>
    public void Write(SnapshotParts to)
    {
        ProducerMemory[] memories;
        lock (_gate)
        {
            memories = [.. _all.Values.Where(memory => memory.Last != long.MinValue)];
        }

        foreach (ProducerMemory[] piece in memories.Chunk(RememberedMax / 4))
        {
            IBufferWriter<byte> part = to.Begin();
            foreach (ProducerMemory memory in piece)
            {
                FieldWriter.Int64(part, (long)(ulong)memory.Key);
                FieldWriter.Int64(part, (long)(ulong)(memory.Key >> 64));
                FieldWriter.SignedVarint(part, memory.Last);
            }

            to.End(SnapshotFormat.Producers);
        }
    }

    public bool TryRead(ref FieldReader from)
    {
        while (from.Rest.Length > KeyBytes)
        {
            ulong low = (ulong)from.Int64();
            var key = new UInt128((ulong)from.Int64(), low);
            long number = from.SignedVarint();
            if (!from.Failed)
            {
                Recover(key, number);
            }
        }

        return from.AtEnd && !from.Failed;
    }

    private ProducerMemory FindLocked(UInt128 key)
    {
        if (!_all.TryGetValue(key, out ProducerMemory? memory))
        {
            memory = new ProducerMemory(key);
            _all[key] = memory;
        }

        return memory;
    }

    // The list may name one that is in use again, or twice: only those that nobody uses are forgotten.
    private void KeepLocked(ProducerMemory memory)
    {
        _unused.Enqueue(memory);
        while (_unused.Count > RememberedMax)
        {
            ProducerMemory oldest = _unused.Dequeue();
            if (oldest.Users == 0 && _all.GetValueOrDefault(oldest.Key) == oldest)
            {
                _all.Remove(oldest.Key);
            }
        }
    }
}
