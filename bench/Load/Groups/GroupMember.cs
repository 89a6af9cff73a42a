using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pillarbox.Load.Groups;

// ConsumerGroupHeartbeat (key 68) version 0, below request header 2 and answer header 1:
//
//   C  group | member | i32 epoch | instance | rack | i32 rebalance ms | topics | assignor | owned | tags
//   S  i32 throttle | i16 error | message | member | i32 epoch | i32 interval ms | i8 there, assigned | tags
//   owned, assigned: count, each: 16 bytes topic, count of i32 partitions, tags

/// <summary>A member of a group of Kafka's consumer protocol that takes what it is given and gives up what it is told
/// to, at once; reads nothing.</summary>
internal sealed class GroupMember : IDisposable
{
    private const short Key = 68;
    private const int LeaveEpoch = -1;
    private const int RebalanceMs = 60_000;
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly string _group;
    private readonly string _topic;
    private volatile int[] _owned = [];
    private volatile bool _isLeaving;
    private byte[] _topicId = [];
    private string _member = "";
    private int _epoch;

    public GroupMember(int port, string group, string topic)
    {
        (_group, _topic) = (group, topic);
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>The partitions that it has. Any thread.</summary>
    public IReadOnlyList<int> Owned => _owned;

    /// <summary>Joins, and beats until it is to leave.</summary>
    public async Task RunAsync()
    {
        bool tells = true;
        while (!_isLeaving)
        {
            (int[]? assigned, int intervalMs) = await BeatAsync(tells);
            tells = assigned is not null && !assigned.AsSpan().SequenceEqual(_owned);
            _owned = assigned ?? _owned;
            for (int waitedMs = 0; !tells && !_isLeaving && waitedMs < intervalMs; waitedMs += 10)
            {
                await Task.Delay(10);
            }
        }

        _epoch = LeaveEpoch;
        _owned = [];
        await BeatAsync(tells: false);
    }

    /// <summary>Leaves with the next beat, at once.</summary>
    public void Leave() => _isLeaving = true;

    public void Dispose() => _socket.Dispose();

    private async Task<(int[]? Assigned, int IntervalMs)> BeatAsync(bool tells)
    {
        await _socket.SendAsync(Request(tells));
        byte[] size = new byte[sizeof(int)];
        await ReceiveAsync(size);
        byte[] answer = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
        await ReceiveAsync(answer);
        return Take(answer);
    }

    private async Task ReceiveAsync(Memory<byte> into)
    {
        while (!into.IsEmpty)
        {
            int count = await _socket.ReceiveAsync(into);
            into = count > 0
                ? into[count..]
                : throw new InvalidOperationException("the node ended a member's connection");
        }
    }

    private byte[] Request(bool tells)
    {
        using MemoryStream bytes = new();
        using BinaryWriter to = new(bytes);
        bool joins = _epoch == 0;
        Int32(to, 0);
        Int16(to, Key);
        Int16(to, 0);
        Int32(to, 0);
        Int16(to, -1);
        to.Write((byte)0);
        Text(to, _group);
        Text(to, _member);
        Int32(to, _epoch);
        to.Write((byte)0);
        to.Write((byte)0);
        Int32(to, joins ? RebalanceMs : -1);
        to.Write(joins ? (byte)2 : (byte)0);
        if (joins)
        {
            Text(to, _topic);
        }

        to.Write((byte)0);
        WriteOwned(to, joins || tells);
        to.Write((byte)0);
        byte[] frame = bytes.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        return frame;
    }

    private void WriteOwned(BinaryWriter to, bool tells)
    {
        if (!tells || _owned.Length == 0)
        {
            to.Write(tells ? (byte)1 : (byte)0);
            return;
        }

        to.Write((byte)2);
        to.Write(_topicId);
        to.Write7BitEncodedInt(_owned.Length + 1);
        foreach (int partition in _owned)
        {
            Int32(to, partition);
        }

        to.Write((byte)0);
    }

    private (int[]? Assigned, int IntervalMs) Take(byte[] answer)
    {
        using BinaryReader from = new(new MemoryStream(answer));
        Int32(from);
        from.ReadByte();
        Int32(from);
        short error = BinaryPrimitives.ReadInt16BigEndian(from.ReadBytes(sizeof(short)));
        string? message = Text(from);
        if (error != 0)
        {
            throw new InvalidOperationException($"the node refuses a member with error {error}: {message}");
        }

        _member = Text(from) ?? _member;
        _epoch = Int32(from);
        int intervalMs = Int32(from);
        return (from.ReadSByte() < 0 ? null : ReadAssigned(from), intervalMs);
    }

    private int[] ReadAssigned(BinaryReader from)
    {
        int topics = from.Read7BitEncodedInt() - 1;
        if (topics <= 0)
        {
            return [];
        }

        _topicId = from.ReadBytes(16);
        int[] partitions = new int[from.Read7BitEncodedInt() - 1];
        for (int i = 0; i < partitions.Length; i++)
        {
            partitions[i] = Int32(from);
        }

        return partitions;
    }

    private static void Int16(BinaryWriter to, short value) => to.Write(BinaryPrimitives.ReverseEndianness(value));

    private static void Int32(BinaryWriter to, int value) => to.Write(BinaryPrimitives.ReverseEndianness(value));

    private static int Int32(BinaryReader from) => BinaryPrimitives.ReadInt32BigEndian(from.ReadBytes(sizeof(int)));

    private static void Text(BinaryWriter to, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        to.Write7BitEncodedInt(bytes.Length + 1);
        to.Write(bytes);
    }

    private static string? Text(BinaryReader from)
    {
        int length = from.Read7BitEncodedInt() - 1;
        return length < 0 ? null : Encoding.UTF8.GetString(from.ReadBytes(length));
    }
}
