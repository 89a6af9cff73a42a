using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>
/// Part 2 section 2.7, part 3 sections 3.4 and 3.5, parts 4 and 5: the declared lists, byte for byte.
/// </summary>
public sealed class PerformativeTests
{
    private static readonly AmqpMap Fields = new() { { AmqpValue.Symbol("k"), 1 } };

    /// <summary>Each type with every field set, and with the mandatory ones only.</summary>
    public static TheoryData<string, string> Encodings => new()
    {
        { nameof(Open), "00 53 10 c0 04 01 a1 01 63" },
        {
            nameof(Open),
            "00 53 10 c0 20 0a a1 01 63 a1 01 68 70 00000200 60 0007 52 0a a3 01 65 a3 01 "
            + "66 a3 01 67 a3 01 64 c1 06 02 a3 01 6b 54 01"
        },
        { nameof(Begin), "00 53 11 c0 07 04 40 43 52 05 52 06" },
        {
            nameof(Begin),
            "00 53 11 c0 1a 08 60 0001 52 02 52 03 52 04 52 ff a3 01 67 a3 01 64 c1 06 02 "
            + "a3 01 6b 54 01"
        },
        { nameof(Attach), "00 53 12 c0 06 03 a1 01 6e 43 42" },
        {
            nameof(Attach),
            "00 53 12 c0 2f 0e a1 01 6e 52 01 41 50 01 50 01 00 53 28 45 00 53 29 45 c1 05 02 a0 01 74 40 41 "
            + "52 09 53 0a a3 01 67 a3 01 64 c1 06 02 a3 01 6b 54 01"
        },
        { nameof(Attach), "00 53 12 c0 0d 07 a1 01 6e 43 42 40 40 40 00 53 30 45" },
        { nameof(Detach), "00 53 16 c0 02 01 43" },
        { nameof(Detach), "00 53 16 c0 0e 03 52 01 41 00 53 1d c0 04 01 a3 01 63" },
        { nameof(End), "00 53 17 45" },
        { nameof(End), "00 53 17 c0 0b 01 00 53 1d c0 04 01 a3 01 63" },
        { nameof(Close), "00 53 18 45" },
        { nameof(Close), "00 53 18 c0 16 01 00 53 1d c0 0f 03 a3 01 63 a1 01 64 c1 06 02 a3 01 6b 54 01" },
        { nameof(Received), "00 53 23 c0 03 02 43 44" },
        { nameof(Received), "00 53 23 c0 05 02 52 01 53 02" },
        { nameof(Accepted), "00 53 24 45" },
        { nameof(Rejected), "00 53 25 45" },
        { nameof(Rejected), "00 53 25 c0 0b 01 00 53 1d c0 04 01 a3 01 63" },
        { nameof(Released), "00 53 26 45" },
        { nameof(Source), "00 53 28 45" },
        {
            nameof(Source),
            "00 53 28 c0 41 0b a1 01 61 52 02 a3 05 6e65766572 52 1e 41 c1 06 02 a3 01 6b 54 01 a3 04 "
            + "636f7079 c1 09 02 a3 01 66 00 53 05 a1 00 00 53 26 45 a3 01 6f a3 01 63"
        },
        { nameof(Target), "00 53 29 45" },
        {
            nameof(Target),
            "00 53 29 c0 28 07 a1 01 61 52 01 a3 0b 6c696e6b2d646574616368 52 1e 41 c1 06 02 a3 01 6b 54 01 "
            + "a3 01 63"
        },
        { nameof(DeleteOnClose), "00 53 2b 45" },
        { nameof(DeleteOnNoLinks), "00 53 2c 45" },
        { nameof(DeleteOnNoMessages), "00 53 2d 45" },
        { nameof(DeleteOnNoLinksOrMessages), "00 53 2e 45" },
        { nameof(Coordinator), "00 53 30 45" },
        { nameof(Coordinator), "00 53 30 c0 04 01 a3 01 74" },
        { nameof(Declare), "00 53 31 45" },
        { nameof(Declare), "00 53 31 c0 04 01 a0 01 09" },
        { nameof(SaslMechanisms), "00 53 40 c0 14 01 e0 12 02 a3 05 504c41494e 09 414e4f4e594d4f5553" },
        { nameof(SaslInit), "00 53 41 c0 04 01 a3 01 50" },
        { nameof(SaslInit), "00 53 41 c0 0a 03 a3 01 50 a0 01 00 a1 01 68" },
        { nameof(SaslChallenge), "00 53 42 c0 03 01 a0 00" },
        { nameof(SaslResponse), "00 53 43 c0 04 01 a0 01 78" },
        { nameof(SaslOutcome), "00 53 44 c0 03 01 50 00" },
        { nameof(SaslOutcome), "00 53 44 c0 06 02 50 04 a0 01 78" },
        { nameof(HeaderSection), "00 53 70 45" },
        { nameof(HeaderSection), "00 53 70 c0 08 05 41 50 09 43 41 52 02" },
        { nameof(MessageProperties), "00 53 73 45" },
        {
            nameof(MessageProperties),
            "00 53 73 c0 43 0d 53 01 a0 01 75 a1 01 74 a1 01 73 a1 01 72 a1 01 63 a3 01 63 a3 01 65 83 "
            + "0000000000000001 83 0000000000000002 a1 01 67 52 03 a1 01 72"
        },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Bytes_become_the_type_and_the_same_bytes_again(string type, string hex)
    {
        byte[] bytes = FixSize(Bytes.FromHex(hex));
        Assert.Equal(Bytes.Hex(bytes), Bytes.Hex(Reencode(type, bytes)));
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Every_beginning_and_mutation_is_refused_or_read(string type, string hex)
    {
        byte[] bytes = FixSize(Bytes.FromHex(hex));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<AmqpException>(() => Reencode(type, bytes[..length]));
        }
        Bytes.ForSeeds(500, (random, grammar) =>
        {
            Exception? thrown = Record.Exception(() => Reencode(type, grammar.Mutate(bytes)));
            Assert.True(thrown is null or AmqpException, thrown?.ToString());
        });
    }

    [Fact]
    public void Open_has_the_defaults_of_the_specification()
    {
        Open open = Read<Open>("00 53 10 c0 04 01 a1 01 63", Open.Read);
        Assert.Equal((uint.MaxValue, ushort.MaxValue), (open.MaxFrameSize, open.ChannelMax));
        Assert.Null(open.IdleTimeoutMs);
        Open nulls = Read<Open>("00 53 10 c0 07 04 a1 01 63 40 40 40", Open.Read);
        Assert.Equal(open, nulls);
    }

    [Fact]
    public void Attach_has_the_defaults_of_the_specification()
    {
        Attach attach = Read<Attach>("00 53 12 c0 08 04 a1 01 6e 52 07 41 40", Attach.Read);
        Assert.Equal((SenderSettleMode.Mixed, ReceiverSettleMode.First), (attach.SenderSettleMode,
            attach.ReceiverSettleMode));
        Assert.Equal((Role.Receiver, 7u), (attach.Role, attach.Handle));
        Source source = Read<Source>("00 53 28 45", Source.Read);
        Assert.Equal((TerminusExpiryPolicy.SessionEnd, TerminusDurability.None, 0u), (source.ExpiryPolicy,
            source.Durable, source.TimeoutSeconds));
        Assert.Null(source.DistributionMode);
    }

    [Fact]
    public void A_target_may_be_a_coordinator()
    {
        Attach attach = Read<Attach>("00 53 12 c0 0d 07 a1 01 6e 43 42 40 40 40 00 53 30 45", Attach.Read);
        Assert.IsType<Coordinator>(attach.Target);
        Assert.Throws<AmqpException>(() =>
            Read<Attach>("00 53 12 c0 0d 07 a1 01 6e 43 42 40 40 40 00 53 24 45", Attach.Read));
    }

    [Fact]
    public void Capabilities_may_be_one_symbol()
    {
        Target target = Read<Target>("00 53 29 c0 0a 07 40 40 40 40 40 40 a3 01 71", Target.Read);
        Assert.Equal(["q"], target.Capabilities!);
    }

    [Theory]
    [InlineData("00 a3 0e 616d71703a6f70656e3a6c697374 c0 04 01 a1 01 63", "symbolic")]
    [InlineData("00 80 0000000000000010 c0 04 01 a1 01 63", "a long code")]
    [InlineData("00 53 10 d0 00000007 00000001 a1 01 63", "a wide list")]
    [InlineData("00 53 10 d0 0000000a 00000001 b1 00000001 63", "a wide string")]
    public void Other_encodings_of_the_same_are_read(string hex, string because)
    {
        Open open = Read<Open>(hex, Open.Read);
        Assert.True(open.ContainerId == "c", because);
    }

    [Theory]
    [InlineData(nameof(Open), "00 53 10 45", "container-id")]
    [InlineData(nameof(Open), "00 53 10 c0 02 01 40", "container-id")]
    [InlineData(nameof(Begin), "00 53 11 c0 04 03 40 43 43", "outgoing-window")]
    [InlineData(nameof(Attach), "00 53 12 c0 05 02 a1 01 6e 43", "role")]
    [InlineData(nameof(Received), "00 53 23 c0 02 01 43", "section-offset")]
    [InlineData(nameof(SaslMechanisms), "00 53 40 45", "server-mechanisms")]
    [InlineData(nameof(SaslOutcome), "00 53 44 45", "code")]
    [InlineData(nameof(End), "00 53 17 c0 03 02 40 40", "more than")]
    [InlineData(nameof(Accepted), "00 53 24 c0 02 01 40", "more than")]
    [InlineData(nameof(Close), "00 53 17 45", "expected close")]
    [InlineData(nameof(SaslOutcome), "00 53 44 c0 03 01 50 05", "beyond")]
    [InlineData(nameof(Source), "00 53 28 c0 04 02 40 52 03", "beyond")]
    [InlineData(nameof(Source), "00 53 28 c0 06 03 40 40 a3 01 78", "expiry-policy")]
    [InlineData(nameof(Open), "00 53 10 c0 04 01 a3 01 63", "expected string")]
    [InlineData(nameof(Open), "00 53 10 c0 06 01 a1 01 63 41 41", "disagrees")]
    public void What_the_specification_forbids_is_refused(string type, string hex, string message)
    {
        AmqpException error = Assert.Throws<AmqpException>(() => Reencode(type, Bytes.FromHex(hex)));
        Assert.Equal(AmqpErrorCondition.DecodeError, error.Condition);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_declared_list_is_known_by_its_symbol()
    {
        int known = 0;
        foreach (Type type in typeof(Open).Assembly.GetTypes())
        {
            if (type.GetCustomAttributesData().FirstOrDefault(a =>
                a.AttributeType.Name == "AmqpListAttribute") is { } list)
            {
                ulong code = (ulong)list.ConstructorArguments[0].Value!;
                string symbol = (string)list.ConstructorArguments[1].Value!;
                Assert.Equal(code, Descriptors.FromSymbol(System.Text.Encoding.ASCII.GetBytes(symbol)));
                Assert.Equal(code, (ulong)type.GetField("DescriptorCode")!.GetRawConstantValue()!);
                known++;
            }
        }
        Assert.Equal(33, known);
        Assert.Equal(0ul, Descriptors.FromSymbol("amqp:opem:list"u8));
        Assert.Equal(Descriptors.Data, Descriptors.FromSymbol("amqp:data:binary"u8));
        Assert.Equal(Descriptors.SelectorFilter, Descriptors.FromSymbol("apache.org:selector-filter:string"u8));
    }

    [Fact]
    public void An_error_of_ours_becomes_an_error_on_the_wire()
    {
        AmqpException thrown = new(AmqpErrorCondition.NotFound, "no such node", AmqpSeverity.Link) { Info = Fields };
        AmqpError expected = new() { Condition = "amqp:not-found", Description = "no such node", Info = Fields };
        Assert.Equal(expected, thrown.ToError());
    }

    private delegate T ReadFunction<T>(scoped ref AmqpReader reader);

    private static T Read<T>(string hex, ReadFunction<T> read)
    {
        AmqpReader reader = new(Bytes.FromHex(hex));
        T value = read(ref reader);
        Assert.True(reader.AtEnd);
        return value;
    }

    // Sizes in the table are for the eye; this makes the outermost one right.
    private static byte[] FixSize(byte[] bytes)
    {
        if (bytes[3] == FormatCode.List8)
        {
            bytes[4] = (byte)(bytes.Length - 5);
        }
        return bytes;
    }

    private static byte[] Reencode(string type, byte[] bytes)
    {
        AmqpReader reader = new(bytes);
        AmqpWriter writer = new(new byte[2 * bytes.Length + 64]);
        switch (type)
        {
            case nameof(Open): Open.Read(ref reader).Write(ref writer); break;
            case nameof(Begin): Begin.Read(ref reader).Write(ref writer); break;
            case nameof(Attach): Attach.Read(ref reader).Write(ref writer); break;
            case nameof(Detach): Detach.Read(ref reader).Write(ref writer); break;
            case nameof(End): End.Read(ref reader).Write(ref writer); break;
            case nameof(Close): Close.Read(ref reader).Write(ref writer); break;
            case nameof(Received): Received.Read(ref reader).Write(ref writer); break;
            case nameof(Accepted): Accepted.Read(ref reader).Write(ref writer); break;
            case nameof(Rejected): Rejected.Read(ref reader).Write(ref writer); break;
            case nameof(Released): Released.Read(ref reader).Write(ref writer); break;
            case nameof(Source): Terminus.Read(ref reader).Write(ref writer); break;
            case nameof(Target): Terminus.Read(ref reader).Write(ref writer); break;
            case nameof(Coordinator): Coordinator.Read(ref reader).Write(ref writer); break;
            case nameof(DeleteOnClose): DeleteOnClose.Read(ref reader).Write(ref writer); break;
            case nameof(DeleteOnNoLinks): DeleteOnNoLinks.Read(ref reader).Write(ref writer); break;
            case nameof(DeleteOnNoMessages): DeleteOnNoMessages.Read(ref reader).Write(ref writer); break;
            case nameof(DeleteOnNoLinksOrMessages): DeleteOnNoLinksOrMessages.Read(ref reader).Write(ref writer); break;
            case nameof(Declare): Declare.Read(ref reader).Write(ref writer); break;
            case nameof(SaslMechanisms): SaslMechanisms.Read(ref reader).Write(ref writer); break;
            case nameof(SaslInit): SaslInit.Read(ref reader).Write(ref writer); break;
            case nameof(SaslChallenge): SaslChallenge.Read(ref reader).Write(ref writer); break;
            case nameof(SaslResponse): SaslResponse.Read(ref reader).Write(ref writer); break;
            case nameof(SaslOutcome): SaslOutcome.Read(ref reader).Write(ref writer); break;
            case nameof(HeaderSection): HeaderSection.Read(ref reader).Write(ref writer); break;
            case nameof(MessageProperties): MessageProperties.Read(ref reader).Write(ref writer); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "no such type");
        }
        return writer.Written.ToArray();
    }
}
