using System.Diagnostics.CodeAnalysis;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Wills;

/// <summary>
/// A delayed will on disk: in the store of last values of its address space, one for each client, in the form of an
/// MQTT message. The payload:
/// <code>
/// u8 version | i64 due | text client id, user, remote end point | u8 anonymous | i32 n, n texts roles
/// | text topic | u8 QoS | u8 retain | u8 has expiry, u32 expiry | i32 n, properties | the rest: payload
/// </code>
/// The roles are those of the login that the will was made with.
/// </summary>
internal static class StoredWill
{
    private const byte Version = 1;
    private const int RolesMax = 4096;

    /// <summary>What is to be kept for a client; null: nothing any more.</summary>
    public static RetainedMessage For(string clientId, DueWill? will)
    {
        byte[] key = Encoding.ASCII.GetBytes(KeyOf(clientId));
        var message = new MqttMessageMap { Topic = key, Payload = will is null ? [] : Write(will) };
        byte[] stored = new byte[message.Bytes];
        message.Write(stored);
        return new RetainedMessage(KeyOf(clientId), stored, 0, 0);
    }

    /// <summary>What was kept; false when it cannot be read.</summary>
    public static bool TryRead(RetainedMessage kept, string addressSpace, [NotNullWhen(true)] out DueWill? will)
    {
        will = null;
        if (!MqttMessageMap.TryRead(kept.Stored, out MqttMessageMap message))
        {
            return false;
        }

        try
        {
            using var from = new BinaryReader(new MemoryStream(message.Payload.ToArray()), Encoding.UTF8);
            will = from.ReadByte() == Version ? Read(from, addressSpace) : null;
            return will is not null;
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            // Not written by this program.
            return false;
        }
    }

    // The identifier may hold what has a meaning in topics.
    private static string KeyOf(string clientId) => Convert.ToHexString(Encoding.UTF8.GetBytes(clientId));

    private static byte[] Write(DueWill will)
    {
        using var bytes = new MemoryStream();
        using var to = new BinaryWriter(bytes, Encoding.UTF8);
        to.Write(Version);
        to.Write(will.DueMs);
        to.Write(will.Client.ClientId);
        to.Write(will.Client.Identity.Name);
        to.Write(will.Client.RemoteEndPoint);
        to.Write(will.Client.Identity.IsAnonymous);
        to.Write(will.Client.Identity.Roles.Count);
        foreach (string role in will.Client.Identity.Roles)
        {
            to.Write(role);
        }

        to.Write(will.Will.Topic);
        to.Write(will.Will.Qos);
        to.Write(will.Will.Retain);
        to.Write(will.Will.MessageExpiry is not null);
        to.Write(will.Will.MessageExpiry ?? 0);
        to.Write(will.Will.Properties.Length);
        to.Write(will.Will.Properties);
        to.Write(will.Will.Payload);
        return bytes.ToArray();
    }

    private static DueWill? Read(BinaryReader from, string addressSpace)
    {
        long dueMs = from.ReadInt64();
        (string clientId, string user, string remote) = (from.ReadString(), from.ReadString(), from.ReadString());
        bool isAnonymous = from.ReadBoolean();
        int count = from.ReadInt32();
        if (count is < 0 or > RolesMax)
        {
            return null;
        }

        string[] roles = [.. Enumerable.Range(0, count).Select(_ => from.ReadString())];
        string topic = from.ReadString();
        byte qos = from.ReadByte();
        bool retain = from.ReadBoolean();
        bool hasExpiry = from.ReadBoolean();
        uint expiry = from.ReadUInt32();
        byte[] properties = from.ReadBytes(Math.Max(0, from.ReadInt32()));
        var client = new ClientInfo
        {
            AddressSpace = addressSpace,
            Identity = new Identity(user, roles, isAnonymous),
            ClientId = clientId,
            Protocol = "mqtt",
            RemoteEndPoint = remote,
        };
        var will = new WillMessage
        {
            Topic = topic,
            Qos = Math.Min(qos, (byte)2),
            Retain = retain,
            MessageExpiry = hasExpiry ? expiry : null,
            Properties = properties,
            Payload = from.ReadBytes((int)(from.BaseStream.Length - from.BaseStream.Position)),
        };
        return new DueWill(client, will, dueMs);
    }
}
