using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.LinkState;

/// <summary>The fields of a control message's body: numbers and id decoded, the rest where it lies.</summary>
internal ref struct ControlFields
{
    /// <summary>Fields that nobody knows are stepped over, up to so many.</summary>
    private const int FieldsMax = 64;

    public string? Id { get; private set; }

    public long Version { get; private set; }

    public long Instance { get; private set; }

    public long? LsSeq { get; private set; }

    public long? MobileSeq { get; private set; }

    public long? HaveSeq { get; private set; }

    /// <summary>Encoded; empty: absent.</summary>
    public ReadOnlySpan<byte> Seen { get; private set; }

    public ReadOnlySpan<byte> LinkState { get; private set; }

    public ReadOnlySpan<byte> Peers { get; private set; }

    public ReadOnlySpan<byte> Hints { get; private set; }

    public ReadOnlySpan<byte> Add { get; private set; }

    public ReadOnlySpan<byte> Delete { get; private set; }

    public ReadOnlySpan<byte> Exist { get; private set; }

    /// <summary>Reads the map; <paramref name="encoded"/> is exactly one value.</summary>
    public static ControlFields Read(ReadOnlySpan<byte> encoded)
    {
        AmqpReader reader = new(encoded);
        CompoundHeader header = reader.ReadMapHeader();
        ControlReader.Require(header.Count <= FieldsMax * 2, "a body has too many fields");
        ControlFields fields = default;
        for (int i = 0; i < header.Count; i += 2)
        {
            AmqpScalar key = reader.ReadScalar();
            AmqpScalar value = reader.ReadScalar();
            if (key.IsText)
            {
                fields.Take(key.Content, value);
            }
        }
        reader.EndCompound(header);
        ControlReader.Require(reader.AtEnd, "bytes follow the body");
        return fields;
    }

    private void Take(ReadOnlySpan<byte> key, AmqpScalar value)
    {
        switch (key)
        {
            case var _ when key.SequenceEqual("id"u8):
                Id = ReadId(value);
                break;
            case var _ when key.SequenceEqual("pv"u8):
                Version = ReadNumber(value);
                break;
            case var _ when key.SequenceEqual("instance"u8):
                Instance = value.IsNull ? 0 : ReadNumber(value);
                break;
            case var _ when key.SequenceEqual("ls_seq"u8):
                LsSeq = ReadNumber(value);
                break;
            case var _ when key.SequenceEqual("mobile_seq"u8):
                MobileSeq = ReadNumber(value);
                break;
            case var _ when key.SequenceEqual("have_seq"u8):
                HaveSeq = ReadNumber(value);
                break;
            default:
                TakeCompound(key, value.Encoded);
                break;
        }
    }

    private void TakeCompound(ReadOnlySpan<byte> key, ReadOnlySpan<byte> encoded)
    {
        switch (key)
        {
            case var _ when key.SequenceEqual("seen"u8):
                Seen = encoded;
                break;
            case var _ when key.SequenceEqual("ls"u8):
                LinkState = encoded;
                break;
            case var _ when key.SequenceEqual("peers"u8):
                Peers = encoded;
                break;
            case var _ when key.SequenceEqual("hints"u8):
                Hints = encoded;
                break;
            case var _ when key.SequenceEqual("add"u8):
                Add = encoded;
                break;
            case var _ when key.SequenceEqual("del"u8):
                Delete = encoded;
                break;
            case var _ when key.SequenceEqual("exist"u8):
                Exist = encoded;
                break;
        }
    }

    private static string ReadId(AmqpScalar value)
    {
        ControlReader.Require(value.IsText, "an id is no text");
        ControlReader.Require(value.Content.Length <= RouterLimits.IdBytesMax, "an id is too long");
        string id = value.GetText()!;
        ControlReader.Require(RouterId.IsValid(id), "an id is empty, a reserved word or has blanks");
        return id;
    }

    private static long ReadNumber(AmqpScalar value)
    {
        ControlReader.Require(value.TryGetInt64(out long number), "a number is none");
        ControlReader.Require(number >= 0, "a number is negative");
        return number;
    }
}
