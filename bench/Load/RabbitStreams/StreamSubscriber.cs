using System.Buffers.Binary;

namespace Pillarbox.Load.RabbitStreams;

/// <summary>Reads streams by chunks and counts; takes one time of each chunk. One thread.</summary>
internal sealed class StreamSubscriber : IDisposable
{
    private const ushort CreditAtFirst = 10;
    private const ushort First = 1;
    private const ushort Next = 3;
    private const byte UserChunk = 0;
    private const int ChunkHeaderBytes = 48;
    private const int TimesMax = 1 << 20;
    private readonly StreamSocket _socket;
    private readonly List<long> _times = [];
    private volatile bool _isMeasured;
    private long _delivered;

    public StreamSubscriber(StreamSocket socket, IReadOnlyList<string> streams, bool fromFirst)
    {
        _socket = socket;
        for (int i = 0; i < streams.Count; i++)
        {
            (byte id, string stream) = ((byte)i, streams[i]);
            socket.Ask(StreamCommand.Subscribe, frame => frame
                .U8(id).Text(stream).U16(fromFirst ? First : Next).U16(CreditAtFirst).U32(0));
        }
    }

    public long Delivered => Interlocked.Read(ref _delivered);

    public void BeginMeasure() => _isMeasured = true;

    /// <summary>Nanoseconds from the sending to the delivery; when the thread has ended, or nearly.</summary>
    public IReadOnlyList<long> Times()
    {
        lock (_times)
        {
            return [.. _times];
        }
    }

    /// <summary>Runs until the connection is closed.</summary>
    public void Run()
    {
        while (true)
        {
            ReadOnlySpan<byte> fields = _socket.Next(out ushort key);
            if (key == StreamCommand.Deliver)
            {
                byte id = fields[0];
                Take(fields[1..]);
                _socket.Send(new FrameBuilder(StreamCommand.Credit).U8(id).U16(1).Finish());
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    // u8 magic | u8 type | u16 entries | u32 records | i64 time | u64 epoch | u64 first offset | u32 crc | u32 data
    // bytes | u32 trailer bytes | u32 reserved | entries: u32 length with the highest bit 0, body
    private void Take(ReadOnlySpan<byte> chunk)
    {
        if (chunk[1] != UserChunk)
        {
            return;
        }

        if (_isMeasured && _times.Count < TimesMax)
        {
            long stamp = BinaryPrimitives.ReadInt64BigEndian(chunk[(ChunkHeaderBytes + sizeof(int))..]);
            lock (_times)
            {
                _times.Add(StreamLoad.Now() - stamp);
            }
        }

        Interlocked.Add(ref _delivered, BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]));
    }
}
