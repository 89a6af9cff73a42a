using System.Text;
using Pillarbox.Protocols.Amqp.Tests.Wire;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Differential;

/// <summary>
/// What we encode Proton sees alike, and what Proton encodes we decode alike: random values and messages.
/// </summary>
public sealed class ProtonTests
{
    [Fact]
    public void Values_are_seen_alike_both_ways()
    {
        using ProtonCodec proton = StartOrSkip();
        Bytes.ForSeeds(4_000, (random, grammar) =>
        {
            AmqpValue value = grammar.ForProton().Value();
            (byte[] encoded, string seen) = proton.Ask("value", value.ToEncoded());
            Assert.True(Describe(value) == seen, $"{Bytes.Hex(value.ToEncoded())}: {Describe(value)} != {seen}");
            Assert.Equal(value, AmqpValue.FromEncoded(encoded));
        });
    }

    [Fact]
    public void Messages_are_seen_alike_both_ways()
    {
        using ProtonCodec proton = StartOrSkip();
        Bytes.ForSeeds(2_000, (random, grammar) =>
        {
            AmqpMessage message = grammar.ForProton().Message();
            (byte[] encoded, string seen) = proton.Ask("message", message.ToArray());
            Assert.StartsWith(Describe(message), seen, StringComparison.Ordinal);
            AmqpMessage again = AmqpMessage.Read(encoded);
            Assert.Equal(message.MessageAnnotations ?? [], again.MessageAnnotations ?? []);
            Assert.Equal(message.DeliveryAnnotations ?? [], again.DeliveryAnnotations ?? []);
            Assert.Equal(message.ApplicationProperties ?? [], again.ApplicationProperties ?? []);
            Assert.Equal(message.Properties?.MessageId ?? AmqpValue.Null,
                again.Properties?.MessageId ?? AmqpValue.Null);
            Assert.Equal(message.Properties?.CorrelationId ?? AmqpValue.Null,
                again.Properties?.CorrelationId ?? AmqpValue.Null);
            Assert.Equal(message.Properties?.To, again.Properties?.To);
            Assert.Equal(message.Value, again.Value);
            BodyKind kind = message.Value.IsNull && message.BodyKind == BodyKind.Value ? BodyKind.None
                : message.BodyKind;
            Assert.Equal(kind, again.BodyKind);
            Assert.Equal(message.Data.ToArray(), again.Data.ToArray());
        });
    }

    [Fact]
    public void What_Proton_decodes_of_mutated_values_and_we_too_is_alike()
    {
        using ProtonCodec proton = StartOrSkip();
        int both = 0;
        Bytes.ForSeeds(4_000, (random, grammar) =>
        {
            byte[] bytes = grammar.Mutate(grammar.ForProton().Value(2).ToEncoded());
            if (!TryDecode(bytes, out AmqpValue value))
            {
                return;
            }
            string seen = proton.Ask("value", bytes).Seen;
            if (!seen.StartsWith("error", StringComparison.Ordinal))
            {
                Assert.Equal(Describe(value), seen);
                both++;
            }
        });
        Assert.True(both > 100, $"{both} mutated values were decoded by both");
    }

    private static ProtonCodec StartOrSkip()
    {
        ProtonCodec? proton = ProtonCodec.Start();
        Assert.SkipWhen(proton is null, "python3-qpid-proton is not installed");
        return proton!;
    }

    private static bool TryDecode(byte[] bytes, out AmqpValue value)
    {
        try
        {
            value = AmqpValue.FromEncoded(bytes);
            return true;
        }
        catch (AmqpException)
        {
            value = default;
            return false;
        }
    }

    private static string Describe(AmqpMessage message)
    {
        HeaderSection header = message.Header ?? default;
        object[] fields =
        [
            header.Durable ? 1 : 0, header.Priority ?? HeaderSection.PriorityDefault, header.TtlMs ?? 0,
            header.FirstAcquirer ? 1 : 0, header.DeliveryCount,
        ];
        return string.Join("|", fields) + "|";
    }

    private static string Describe(AmqpValue value) => value.Type switch
    {
        AmqpType.List => $"list[{Join(value.AsList())}]",
        AmqpType.Map => $"map[{Join(value.AsMap()!.SelectMany(e => new[] { e.Key, e.Value }))}]",
        AmqpType.Array => Describe(value.AsArray()!),
        AmqpType.Described => $"@{Describe(value.Descriptor)} {Describe(value.Undescribed)}",
        _ => Name(value.Type) + ":" + Scalar(value),
    };

    private static string Describe(AmqpArray array)
    {
        string head = string.Concat(array.Descriptors.Select(d => $"@{Describe(d)} "));
        return $"array<{head}{Name(array.ElementType)}>[{Join(array.Items)}]";
    }

    private static string Join(IEnumerable<AmqpValue> items) => string.Join(",", items.Select(Describe));

    private static string Name(AmqpType type) => type.ToString().ToLowerInvariant();

    private static string Scalar(AmqpValue value) => value.Type switch
    {
        AmqpType.Null => "",
        AmqpType.Boolean => value.AsBoolean() ? "1" : "0",
        AmqpType.Float => float.IsNaN(value.AsFloat()) ? "nan" : Bytes.Hex(value.ToEncoded().AsSpan(1)),
        AmqpType.Double => double.IsNaN(value.AsDouble()) ? "nan" : Bytes.Hex(value.ToEncoded().AsSpan(1)),
        AmqpType.Char => value.AsChar().Value.ToString(),
        AmqpType.Uuid => Bytes.Hex(value.ToEncoded().AsSpan(1)),
        AmqpType.Binary => Bytes.Hex(value.AsBinary()),
        AmqpType.String or AmqpType.Symbol => Bytes.Hex(Encoding.UTF8.GetBytes(value.AsText()!)),
        AmqpType.Decimal32 or AmqpType.Decimal64 or AmqpType.Decimal128 => Bytes.Hex(value.AsDecimalBytes()),
        _ => value.ToString(),
    };
}
