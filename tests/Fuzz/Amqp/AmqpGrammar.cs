using System.Text;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>Random AMQP values, messages and performatives of a seed: the same seed gives the same ones.</summary>
internal sealed class AmqpGrammar(Random random)
{
    private static readonly AmqpType[] ScalarTypes = [.. Enum.GetValues<AmqpType>().Where(t => t < AmqpType.List)];

    private bool _protonOnly;
    private AmqpType? _keyType;

    /// <summary>
    /// Leaves out what Proton's codec gets wrong: a described value that is described again, as a value, as the
    /// constructor of an array or as the body of a message; arrays of null; in messages, whose maps become Python's
    /// dictionaries, keys like 0 and false that are the same there.
    /// </summary>
    public AmqpGrammar ForProton()
    {
        _protonOnly = true;
        return this;
    }

    public AmqpValue Value(int depth = 4) => Value(depth, describedToo: true);

    private AmqpValue Value(int depth, bool describedToo)
    {
        int roll = random.Next(describedToo ? 10 : 9);
        if (depth <= 0 || roll < 5)
        {
            return Scalar(ScalarTypes[random.Next(ScalarTypes.Length)]);
        }
        return roll switch
        {
            5 or 6 => AmqpValue.List(Many(4, () => Value(depth - 1))),
            7 => AmqpValue.Map(Map(depth - 1)),
            8 => AmqpValue.Array(Array(depth - 1)),
            _ => AmqpValue.Described(Descriptor(), Value(depth - 1, !_protonOnly)),
        };
    }

    public AmqpValue Scalar(AmqpType type) => type switch
    {
        AmqpType.Null => AmqpValue.Null,
        AmqpType.Boolean => AmqpValue.Boolean(random.Next(2) == 1),
        AmqpType.UByte => AmqpValue.UByte((byte)Integer()),
        AmqpType.UShort => AmqpValue.UShort((ushort)Integer()),
        AmqpType.UInt => AmqpValue.UInt((uint)Integer()),
        AmqpType.ULong => AmqpValue.ULong((ulong)Integer()),
        AmqpType.Byte => AmqpValue.Byte((sbyte)Integer()),
        AmqpType.Short => AmqpValue.Short((short)Integer()),
        AmqpType.Int => AmqpValue.Int((int)Integer()),
        AmqpType.Long => AmqpValue.Long(Integer()),
        AmqpType.Float => AmqpValue.Float((float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-30, 30)))),
        AmqpType.Double => AmqpValue.Double((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-300, 300))),
        AmqpType.Decimal32 => AmqpValue.Decimal(Bytes(4)),
        AmqpType.Decimal64 => AmqpValue.Decimal(Bytes(8)),
        AmqpType.Decimal128 => AmqpValue.Decimal(Bytes(16)),
        AmqpType.Char => AmqpValue.Char(Character()),
        AmqpType.Timestamp => AmqpValue.Timestamp(Integer()),
        AmqpType.Uuid => AmqpValue.Uuid(new Guid(Bytes(16))),
        AmqpType.Binary => AmqpValue.Binary(Bytes(Length())),
        AmqpType.String => AmqpValue.String(Text()),
        AmqpType.Symbol => AmqpValue.Symbol(SymbolText()),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no scalar"),
    };

    public AmqpMap Map(int depth, AmqpType? keyType = null)
    {
        AmqpMap map = new();
        foreach (AmqpValue key in Many(4, () =>
            Scalar(keyType ?? _keyType ?? ScalarTypes[random.Next(ScalarTypes.Length)])).Distinct())
        {
            map.Add(key, Value(depth));
        }
        return map;
    }

    public AmqpArray Array(int depth)
    {
        AmqpType end = depth <= 0 ? AmqpType.List : AmqpType.Described;
        AmqpType type = (AmqpType)random.Next(_protonOnly ? 1 : 0, (int)end);
        AmqpValue[] items = Many(5, () => type switch
        {
            AmqpType.List => AmqpValue.List(Many(3, () => Value(depth - 1))),
            AmqpType.Map => AmqpValue.Map(Map(depth - 1)),
            AmqpType.Array => AmqpValue.Array(Array(depth - 1)),
            _ => Scalar(type),
        });
        int descriptors = random.Next(4) == 0 ? random.Next(1, _protonOnly ? 2 : 3) : 0;
        return new AmqpArray(type, items, [.. Enumerable.Range(0, descriptors).Select(_ => Descriptor())]);
    }

    public AmqpMessage Message()
    {
        int body = random.Next(4);
        _keyType = _protonOnly ? AmqpType.String : null;
        AmqpMessage message = new()
        {
            Header = Maybe(() => Header()),
            DeliveryAnnotations = MaybeRef(() => Map(2, AmqpType.Symbol)),
            MessageAnnotations = MaybeRef(() => Map(2, AmqpType.Symbol)),
            Properties = MaybeRef(Properties),
            ApplicationProperties = MaybeRef(ApplicationProperties),
            Footer = MaybeRef(() => Map(1, AmqpType.Symbol)),
        };
        return body switch
        {
            0 => message with { BodyKind = BodyKind.Data, Data = Bytes(Length()) },
            1 => message with { BodyKind = BodyKind.Sequence, Value = AmqpValue.List(Many(4, () => Value(2))) },
            _ => message with { BodyKind = BodyKind.Value, Value = Value(3, !_protonOnly) },
        };
    }

    public HeaderSection Header() => new()
    {
        Durable = random.Next(2) == 1,
        Priority = Maybe(() => (byte)Integer()),
        TtlMs = Maybe(() => (uint)Integer()),
        FirstAcquirer = random.Next(2) == 1,
        DeliveryCount = (uint)Integer(),
    };

    public MessageProperties Properties() => new()
    {
        MessageId = Maybe(MessageId),
        UserId = MaybeRef(() => Bytes(Length())),
        To = MaybeRef(Text),
        Subject = MaybeRef(Text),
        ReplyTo = MaybeRef(Text),
        CorrelationId = Maybe(MessageId),
        ContentType = MaybeRef(SymbolText),
        ContentEncoding = MaybeRef(SymbolText),
        AbsoluteExpiryTimeMs = Maybe(() => Integer() & long.MaxValue),
        CreationTimeMs = Maybe(() => Integer() & long.MaxValue),
        GroupId = MaybeRef(Text),
        GroupSequence = Maybe(() => (uint)Integer()),
        ReplyToGroupId = MaybeRef(Text),
    };

    public AmqpMap ApplicationProperties()
    {
        AmqpMap map = new();
        foreach (string key in Enumerable.Range(0, random.Next(5)).Select(_ => Text()).Distinct())
        {
            map.Add(key, Scalar(ScalarTypes[random.Next(ScalarTypes.Length)]));
        }
        return map;
    }

    public byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    public string Text()
    {
        StringBuilder text = new();
        for (int left = Length(); left > 0; left--)
        {
            text.Append(random.Next(8) == 0 ? Character() : new Rune(random.Next(0x20, 0x7f)));
        }
        return text.ToString();
    }

    public string SymbolText() => string.Concat(Enumerable.Range(0, Length()).Select(_ =>
        (char)random.Next(0x20, 0x7f)));

    /// <summary>Breaks bytes: flips, overwrites with telling values, cuts, doubles or drops a piece.</summary>
    public byte[] Mutate(byte[] original)
    {
        byte[] bytes = [.. original];
        for (int times = random.Next(1, 4); times > 0 && bytes.Length > 0; times--)
        {
            int at = random.Next(bytes.Length);
            int length = random.Next(bytes.Length - at + 1);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = TellingBytes[random.Next(TellingBytes.Length)];
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                case 4 when bytes.Length < 1 << 16:
                    bytes = [.. bytes[..(at + length)], .. bytes[at..]];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
            }
        }
        return bytes;
    }

    private static readonly byte[] TellingBytes =
    [
        0x00, 0x40, 0x41, 0x43, 0x45, 0x53, 0x56, 0x70, 0x7f, 0x80, 0xa0, 0xb0, 0xb1, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0,
        0xf0, 0xff,
    ];

    private AmqpValue Descriptor() => random.Next(3) == 0 ? Scalar(AmqpType.Symbol) : Scalar(AmqpType.ULong);

    private AmqpValue MessageId() => random.Next(4) switch
    {
        0 => Scalar(AmqpType.ULong),
        1 => Scalar(AmqpType.Uuid),
        2 => Scalar(AmqpType.Binary),
        _ => Scalar(AmqpType.String),
    };

    // Often small, often at a border of an encoding, sometimes anything.
    private long Integer() => random.Next(4) switch
    {
        0 => random.Next(-3, 4),
        1 => (1L << random.Next(63)) + random.Next(-1, 2),
        2 => random.Next(-300, 300),
        _ => random.NextInt64(long.MinValue, long.MaxValue),
    };

    private int Length() => random.Next(12) switch
    {
        0 => 0,
        1 => random.Next(250, 260),
        2 => random.Next(600),
        _ => random.Next(20),
    };

    private Rune Character()
    {
        int scalar = random.Next(3) switch
        {
            0 => random.Next(0xa0, 0x800),
            1 => random.Next(0x800, 0xd800),
            _ => random.Next(0x10000, 0x110000),
        };
        return new Rune(scalar);
    }

    private T[] Many<T>(int max, Func<T> make)
    {
        T[] items = new T[random.Next(max + 1)];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = make();
        }
        return items;
    }

    private T? Maybe<T>(Func<T> make)
        where T : struct => random.Next(2) == 0 ? null : make();

    private T? MaybeRef<T>(Func<T> make)
        where T : class => random.Next(2) == 0 ? null : make();
}
