using System.Text;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// The fields of a stored message up to its properties, as slices: what <see cref="Message"/> names, in version 12 and
/// loose encoding, without cache.
/// </summary>
internal ref struct StoredFields
{
    /// <summary>Whether everything was there.</summary>
    public bool IsWhole;
    public ReadOnlySpan<byte> Destination;
    public ReadOnlySpan<byte> GroupId;
    public int GroupSequence;
    public ReadOnlySpan<byte> CorrelationId;
    public ReadOnlySpan<byte> ReplyTo;
    public long Timestamp;
    public ReadOnlySpan<byte> JmsType;
    public ReadOnlySpan<byte> Properties;
    public ReadOnlySpan<byte> UserId;
    private ReadOnlySpan<byte> _idText;
    private ReadOnlySpan<byte> _idConnection;
    private long _idSession;
    private long _idProducer;
    private long _idSequence;

    public static StoredFields Scan(ReadOnlySpan<byte> payload)
    {
        var scan = new LooseScan(payload);
        var fields = default(StoredFields);
        scan.Take(1 + 4 + 1);
        fields.Head(ref scan);
        fields.GroupId = scan.Text();
        fields.GroupSequence = scan.Int();
        fields.CorrelationId = scan.Text();
        scan.Take(1 + 8 + 1);
        fields.ReplyTo = Name(ref scan);
        fields.Timestamp = scan.Long();
        fields.JmsType = scan.Text();
        scan.Bytes();
        fields.Properties = scan.Bytes();
        fields.IsWhole = !scan.HasFailed;
        fields.Tail(ref scan);
        return fields;
    }

    /// <summary>The id as JMS clients see it.</summary>
    public readonly string MessageIdText() => _idText.IsEmpty
        ? $"{Encoding.UTF8.GetString(_idConnection)}:{_idSession}:{_idProducer}:{_idSequence}"
        : Encoding.UTF8.GetString(_idText);

    private void Head(scoped ref LooseScan scan)
    {
        Producer(ref scan, out _, out _, out _);
        Destination = Name(ref scan);
        // No transaction is stored; what is there is no message of the node's.
        Expect(ref scan, isPresent: false);
        Name(ref scan);
        if (scan.Boolean())
        {
            scan.Take(1);
            _idText = scan.Text();
            Producer(ref scan, out _idConnection, out _idSession, out _idProducer);
            _idSequence = scan.Long();
            scan.Long();
        }

        Expect(ref scan, isPresent: false);
    }

    // The user stands behind the structure, which advisories have and stored messages do not.
    private void Tail(scoped ref LooseScan scan)
    {
        Expect(ref scan, isPresent: false);
        Expect(ref scan, isPresent: false);
        scan.Take(1 + 4);
        Expect(ref scan, isPresent: false);
        scan.Long();
        ReadOnlySpan<byte> user = scan.Text();
        UserId = scan.HasFailed ? default : user;
    }

    private static void Expect(scoped ref LooseScan scan, bool isPresent)
    {
        if (scan.Boolean() != isPresent)
        {
            scan.Take(-1);
        }
    }

    private static ReadOnlySpan<byte> Name(scoped ref LooseScan scan)
    {
        if (!scan.Boolean())
        {
            return default;
        }

        scan.Take(1);
        return scan.Text();
    }

    private static void Producer(
        scoped ref LooseScan scan, out ReadOnlySpan<byte> connection, out long session, out long value)
    {
        connection = default;
        session = 0;
        value = 0;
        if (scan.Boolean())
        {
            scan.Take(1);
            connection = scan.Text();
            value = scan.Long();
            session = scan.Long();
        }
    }
}
