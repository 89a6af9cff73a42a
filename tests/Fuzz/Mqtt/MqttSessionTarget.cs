using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt;
using Pillarbox.Protocols.Mqtt.Tests.Wire;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Fuzz.Mqtt;

/// <summary>
/// Whole conversations against the engine without input and output: a CONNECT, then packets, some of them broken. A
/// conversation ends in an answer or an end, never in an exception, and what the node says is made of whole packets.
/// </summary>
internal sealed class MqttSessionTarget : IFuzzTarget
{
    private const int PacketsMax = 12;
    private const int ConversationsPerNode = 2000;

    private readonly byte[][][] _corpus = [.. Packets.Versions.Select(v => Packets.All(v).ToArray())];
    private MessageBroker? _broker;
    private MqttEnvironment? _environment;
    private int _conversations;

    /// <summary>The node's disk is in memory: its files grow with what is published.</summary>
    public long AllocatedBytesMax => 16 << 20;

    public byte[] Make(Random random)
    {
        if (_environment is null || ++_conversations % ConversationsPerNode == 0)
        {
            Open();
        }

        int at = random.Next(Packets.Versions.Length);
        MqttVersion version = Packets.Versions[at];
        var connect = new ConnectPacket
        {
            Version = version,
            ClientId = $"c{random.Next(8)}",
            CleanStart = random.Next(2) == 0,
            SessionExpiry = version == MqttVersion.V5 && random.Next(2) == 0 ? 100u : 0,
            TopicAliasMaximum = version == MqttVersion.V5 ? (ushort)random.Next(3) : (ushort)0,
        };
        var bytes = new List<byte> { (byte)version };
        bytes.AddRange(random.Next(8) == 0
            ? MqttMutation.Of(Packets.Bytes(connect.Write), random)
            : Packets.Bytes(connect.Write));
        for (int i = random.Next(PacketsMax); i > 0; i--)
        {
            byte[] packet = _corpus[at][random.Next(_corpus[at].Length)];
            bytes.AddRange(random.Next(3) == 0 ? MqttMutation.Of(packet, random) : packet);
        }

        return [.. bytes];
    }

    public void Take(byte[] input)
    {
        var output = new ArrayBufferWriter<byte>();
        var endpoint = new MqttEndpoint(
            _environment!, new PeerInfo { IsLoopback = true }, output, new Connection());
        try
        {
            var rest = new ReadOnlySequence<byte>(input.AsMemory(1));
            for (int pass = 0; pass < 40 && endpoint.State != EndpointState.Ended; pass++)
            {
                Pass(endpoint, ref rest);
            }
        }
        finally
        {
            endpoint.End();
            _broker!.Pump();
        }

        CheckOutput(output.WrittenSpan);
    }

    private void Pass(MqttEndpoint endpoint, ref ReadOnlySequence<byte> rest)
    {
        endpoint.NowMs = _environment!.UnixMs;
        try
        {
            if (endpoint.Awaited is { IsCompleted: true })
            {
                endpoint.OnAwaited();
            }

            endpoint.Receive(ref rest);
        }
        catch (MqttException fault)
        {
            endpoint.OnPeerFault(fault);
        }

        endpoint.Turn(long.MaxValue);
        _broker!.Pump();
    }

    private void Open()
    {
        _broker?.Dispose();
        _broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = new MemoryFileSystem(),
            DataDirectory = "data",
            OwnThreads = false,
            Shards = 1,
            SegmentBytes = 1 << 20,
        });
        _environment = new MqttEnvironment(
            _broker, new MqttOptions { AllowAnyPassword = true, LingerMs = 0 },
            new SaslServers(null, SystemRandom.Instance),
            TimeProvider.System, NullLogger.Instance, SystemRandom.Instance);
    }

    private static void CheckOutput(ReadOnlySpan<byte> output)
    {
        while (!output.IsEmpty)
        {
            if (!FixedHeader.TryRead(output, int.MaxValue, out FixedHeader header)
                || header.PacketBytes > output.Length)
            {
                throw new InvalidOperationException("the node said half a packet");
            }

            output = output[header.PacketBytes..];
        }
    }

    private sealed class Connection : IMqttConnection
    {
        public string User => "anonymous";

        public Task GiveWayAsync() => Task.CompletedTask;

        public void Wake()
        {
        }
    }
}
