namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>The places of the fields in the properties section (table at <see cref="MessageProperties"/>).</summary>
public enum PropertiesField
{
    MessageId = 0,
    UserId = 1,
    To = 2,
    Subject = 3,
    ReplyTo = 4,
    CorrelationId = 5,
    ContentType = 6,
    ContentEncoding = 7,
    AbsoluteExpiryTime = 8,
    CreationTime = 9,
    GroupId = 10,
    GroupSequence = 11,
    ReplyToGroupId = 12,
}

/// <summary>
/// The properties section (part 3 section 3.2.4) looked at in place: a field is found by stepping over those before
/// it, nothing is decoded or allocated but what is asked for. Absent fields, and an absent section, are null.
/// </summary>
public readonly ref struct PropertiesSection
{
    private readonly ReadOnlySpan<byte> _encoded;

    /// <param name="encoded">The section's list with its format code; empty: an absent section.</param>
    public PropertiesSection(ReadOnlySpan<byte> encoded) => _encoded = encoded;

    public bool IsPresent => !_encoded.IsEmpty;

    /// <summary>A ulong, uuid, binary or string.</summary>
    public AmqpScalar MessageId => Get(PropertiesField.MessageId);

    public ReadOnlySpan<byte> UserId => Get(PropertiesField.UserId, AmqpType.Binary).Content;

    public ReadOnlySpan<byte> ToUtf8 => Get(PropertiesField.To, AmqpType.String).Content;

    public string? To => Get(PropertiesField.To, AmqpType.String).GetText();

    public string? Subject => Get(PropertiesField.Subject, AmqpType.String).GetText();

    public string? ReplyTo => Get(PropertiesField.ReplyTo, AmqpType.String).GetText();

    /// <summary>A ulong, uuid, binary or string.</summary>
    public AmqpScalar CorrelationId => Get(PropertiesField.CorrelationId);

    public string? ContentType => Get(PropertiesField.ContentType, AmqpType.Symbol).GetText();

    public string? ContentEncoding => Get(PropertiesField.ContentEncoding, AmqpType.Symbol).GetText();

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long? AbsoluteExpiryTimeMs => GetInt64(PropertiesField.AbsoluteExpiryTime, AmqpType.Timestamp);

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long? CreationTimeMs => GetInt64(PropertiesField.CreationTime, AmqpType.Timestamp);

    public ReadOnlySpan<byte> GroupIdUtf8 => Get(PropertiesField.GroupId, AmqpType.String).Content;

    public string? GroupId => Get(PropertiesField.GroupId, AmqpType.String).GetText();

    public uint? GroupSequence => (uint?)GetInt64(PropertiesField.GroupSequence, AmqpType.UInt);

    public string? ReplyToGroupId => Get(PropertiesField.ReplyToGroupId, AmqpType.String).GetText();

    /// <summary>The field as it stands; a null scalar when it is absent.</summary>
    public AmqpScalar Get(PropertiesField field)
    {
        if (_encoded.IsEmpty)
        {
            return default;
        }
        AmqpReader reader = new(_encoded);
        int count = reader.ReadListHeader().Count;
        if ((int)field >= count)
        {
            return default;
        }
        for (int i = 0; i < (int)field; i++)
        {
            reader.Skip();
        }
        return reader.ReadScalar();
    }

    private AmqpScalar Get(PropertiesField field, AmqpType expected)
    {
        AmqpScalar scalar = Get(field);
        return scalar.IsNull || scalar.Type == expected
            ? scalar
            : throw AmqpException.Decode($"properties.{field} is of type {scalar.Type}");
    }

    private long? GetInt64(PropertiesField field, AmqpType expected) =>
        Get(field, expected).TryGetInt64(out long value) ? value : null;
}
