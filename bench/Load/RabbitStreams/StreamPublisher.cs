using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Pillarbox.Load.RabbitStreams;

/// <summary>
/// Publishes to one stream, as fast as the unconfirmed ones allow, or at even intervals whatever the server does: then
/// a message's time is when it should have gone out. One thread sends, another takes the confirmations.
/// </summary>
internal sealed partial class StreamPublisher : IDisposable
{
    private const byte Id = 1;
    private const int UnconfirmedMax = 10_000;
    private const int EntryOverhead = 12;
    private const int HeadBytes = 13;
    private readonly StreamSocket _socket;
    private readonly StreamShape _shape;
    private readonly long _messagesMax;
    private readonly byte[] _frame;
    private readonly long _start = StreamLoad.Now();
    private long _sent;
    private long _confirmed;
    private volatile bool _isDisposed;

    public StreamPublisher(StreamSocket socket, string stream, StreamShape shape, long messagesMax)
    {
        (_socket, _shape, _messagesMax) = (socket, shape, messagesMax);
        _frame = new byte[HeadBytes + (shape.BatchMessages * (EntryOverhead + shape.BodyBytes))];
        socket.Ask(StreamCommand.DeclarePublisher, frame => frame.U8(Id).Text("").Text(stream));
    }

    public long Confirmed => Interlocked.Read(ref _confirmed);

    public bool IsDone => Confirmed >= _messagesMax;

    /// <summary>Runs until the connection is closed, or all is sent.</summary>
    public void Send()
    {
        double intervalNs = _shape.Rate > 0 ? _shape.Producers * 1e9 / _shape.Rate : 0;
        while (_sent < _messagesMax && !_isDisposed)
        {
            long left = Math.Min(_shape.BatchMessages, _messagesMax - _sent);
            if (intervalNs > 0)
            {
                long due = _start + (long)(_sent * intervalNs);
                long now = StreamLoad.Now();
                if (now < due)
                {
                    _ = SleepMicroseconds((uint)Math.Min(1000, (due - now) / 1000));
                    continue;
                }

                Send((int)Math.Min(left, 1 + (long)((now - due) / intervalNs)), due);
            }
            else if (_sent - Confirmed > UnconfirmedMax - _shape.BatchMessages)
            {
                _ = SleepMicroseconds(100);
            }
            else
            {
                Send((int)left, StreamLoad.Now());
            }
        }
    }

    /// <summary>Runs until the connection is closed.</summary>
    public void TakeConfirms()
    {
        while (true)
        {
            ReadOnlySpan<byte> fields = _socket.Next(out ushort key);
            if (key == StreamCommand.PublishConfirm)
            {
                Interlocked.Add(ref _confirmed, BinaryPrimitives.ReadInt32BigEndian(fields[1..]));
            }
            else if (key == StreamCommand.PublishError)
            {
                throw new InvalidOperationException("RabbitMQ refuses messages");
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _socket.Dispose();
    }

    // The runtime's own sleep counts in milliseconds.
    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int SleepMicroseconds(uint microseconds);

    // u32 size | u16 key | u16 version | u8 publisher | u32 count | count x (u64 id | u32 length | body)
    private void Send(int messages, long stamp)
    {
        int length = HeadBytes + (messages * (EntryOverhead + _shape.BodyBytes));
        Span<byte> frame = _frame.AsSpan(0, length);
        BinaryPrimitives.WriteInt32BigEndian(frame, length - sizeof(int));
        BinaryPrimitives.WriteUInt16BigEndian(frame[4..], StreamCommand.Publish);
        BinaryPrimitives.WriteUInt16BigEndian(frame[6..], 1);
        frame[8] = Id;
        BinaryPrimitives.WriteInt32BigEndian(frame[9..], messages);
        for (int i = 0; i < messages; i++)
        {
            Span<byte> entry = frame[(HeadBytes + (i * (EntryOverhead + _shape.BodyBytes)))..];
            BinaryPrimitives.WriteInt64BigEndian(entry, ++_sent);
            BinaryPrimitives.WriteInt32BigEndian(entry[8..], _shape.BodyBytes);
            BinaryPrimitives.WriteInt64BigEndian(entry[EntryOverhead..], stamp);
        }

        _socket.Send(frame);
    }
}
