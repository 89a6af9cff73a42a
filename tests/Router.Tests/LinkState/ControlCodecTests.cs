using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

public sealed class ControlCodecTests
{
    private static readonly ControlMessage[] Samples =
    [
        new Hello("A", 1_700_000_000, []),
        new Hello("A", 5_000_000_000, ["B", "router-with-a-longer-name"]),
        new RouterAdvertisement("A", 1_700_000_000, 3, 300),
        new LinkStateRequest("A"),
        new LinkStateUpdate("A", 1_700_000_000, 3, [new PeerCost("B", 1), new PeerCost("C", 1000)]),
        new MobileAddressUpdate("A", 7, false, [new("M0q.edge", AddressTreatment.Balanced)], ["HE1", "Cprefix"]),
        new MobileAddressUpdate("A", 7, true, [new("M0q.edge", AddressTreatment.Multicast)], []),
        new MobileAddressUpdate("A", 8, false, [], []),
        new MobileAddressUpdate("A", 8, false, [], []) { Instance = 1_700_000_000 },
        new MobileAddressRequest("A", 6),
    ];

    public static TheoryData<int> All => [.. Enumerable.Range(0, Samples.Length)];

    private static ControlAddress AddressOf(ControlMessage message) => message switch
    {
        Hello => new ControlAddress(ControlService.Hello, null),
        MobileAddressUpdate { IsAbsolute: false } => new ControlAddress(ControlService.MobileAddress, "all"),
        MobileAddressUpdate or MobileAddressRequest => new ControlAddress(ControlService.MobileAddress, "B"),
        RouterAdvertisement => new ControlAddress(ControlService.Router, "all"),
        _ => new ControlAddress(ControlService.Router, "B"),
    };

    private static byte[] Written(ControlMessage message) => ControlWriter.Write(AddressOf(message), message);

    private static ControlEnvelope Read(byte[] bytes)
    {
        Assert.True(ControlReader.TryRead(bytes, out ControlEnvelope? envelope, out string? fault), fault);
        return envelope;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void What_is_written_is_read_again(int sample)
    {
        ControlMessage message = Samples[sample];
        byte[] bytes = Written(message);
        ControlEnvelope envelope = Read(bytes);
        Assert.Equal(AddressOf(message), envelope.To);
        Assert.Equal("0/A", envelope.Ingress);
        Assert.Equal(["0/A"], envelope.Trace);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Written(envelope.Message!)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_message_cut_short_anywhere_is_refused(int sample)
    {
        byte[] bytes = Written(Samples[sample]);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(ControlReader.TryRead(bytes.AsMemory(0, length), out _, out string? fault));
            Assert.NotEmpty(fault);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Any_changed_byte_is_read_or_refused(int sample)
    {
        byte[] bytes = Written(Samples[sample]);
        for (int at = 0; at < bytes.Length; at++)
        {
            for (int value = 0; value < 256; value++)
            {
                byte[] changed = [.. bytes];
                changed[at] = (byte)value;
                bool read = ControlReader.TryRead(changed, out ControlEnvelope? envelope, out string? fault);
                Assert.True(read ? envelope is not null : fault is not null);
            }
        }
    }

    // The fields and types of the protocol's peers: a list of [durable = false] as header, then annotations, properties
    // of three fields, the opcode, and a map with string keys and ints.
    [Fact]
    public void A_hello_has_the_bytes_that_peers_know()
    {
        string expected = string.Concat(
            "005370c00201" + "42",
            "005372c1" + "30" + "04",
            "a310" + Ascii("x-opt-qd.ingress") + "a103" + Ascii("0/A"),
            "a30e" + Ascii("x-opt-qd.trace") + "c00601" + "a103" + Ascii("0/A"),
            "005373c0" + "19" + "03" + "4040" + "a114" + Ascii("amqp:/_local/qdhello"),
            "005374c110" + "02" + "a106" + Ascii("opcode") + "a105" + Ascii("HELLO"),
            "005377c1" + "32" + "0a",
            "a102" + Ascii("id") + "a101" + Ascii("A"),
            "a102" + Ascii("pv") + "5401",
            "a104" + Ascii("area") + "a101" + Ascii("0"),
            "a108" + Ascii("instance") + "716553f100",
            "a104" + Ascii("seen") + "c00401" + "a101" + Ascii("B"));
        Assert.Equal(expected, Convert.ToHexStringLower(Written(new Hello("A", 1_700_000_000, ["B"]))));
    }

    [Fact]
    public void An_update_of_addresses_has_symbol_keys_and_longs()
    {
        string hex = Convert.ToHexStringLower(Written(Samples[5]));
        Assert.Contains("a302" + Ascii("pv") + "5501", hex, StringComparison.Ordinal);
        Assert.Contains("a30a" + Ascii("mobile_seq") + "5507", hex, StringComparison.Ordinal);
        Assert.Contains("a305" + Ascii("hints") + "c00301" + "5403", hex, StringComparison.Ordinal);
        Assert.Contains("a303" + Ascii("add") + "c00b01" + "a108" + Ascii("M0q.edge"), hex, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_may_be_symbols_and_numbers_of_any_width()
    {
        AmqpMap body = new();
        body.AddSymbol("id", AmqpValue.Symbol("A"));
        body.AddSymbol("pv", AmqpValue.UByte(1));
        body.AddSymbol("instance", 17L);
        body.AddSymbol("ls_seq", AmqpValue.ULong(4));
        body.AddSymbol("mobile_seq", AmqpValue.UInt(5));
        body.AddSymbol("something.else", AmqpValue.List(1, 2));
        Assert.Equal(new RouterAdvertisement("A", 17, 4, 5), ReadBody("RA", body).Message);
    }

    [Fact]
    public void Hints_that_do_not_match_are_ignored()
    {
        AmqpMap body = new();
        body.Add("id", "A");
        body.Add("mobile_seq", 1L);
        body.Add("exist", AmqpValue.List("M0a", "M0b"));
        body.Add("hints", AmqpValue.List(1));
        var update = (MobileAddressUpdate)ReadBody("MAU", body).Message!;
        Assert.Equal([new AddressHint("M0a", null), new AddressHint("M0b", null)], update.Added);
    }

    public static TheoryData<string, string, AmqpValue> Refused => new()
    {
        { "RA", "id", AmqpValue.String("") },
        { "RA", "id", AmqpValue.String("all") },
        { "RA", "id", AmqpValue.String("two words") },
        { "RA", "id", AmqpValue.String(new string('x', RouterLimits.IdBytesMax + 1)) },
        { "RA", "id", AmqpValue.Int(1) },
        { "RA", "id", AmqpValue.Null },
        { "RA", "ls_seq", AmqpValue.String("1") },
        { "RA", "ls_seq", AmqpValue.Long(-1) },
        { "RA", "ls_seq", AmqpValue.ULong(ulong.MaxValue) },
        { "RA", "mobile_seq", AmqpValue.Null },
        { "XX", "id", AmqpValue.String("A") },
        { "HELLO", "seen", AmqpValue.String("B") },
        { "HELLO", "seen", AmqpValue.List(1) },
        { "HELLO", "seen", AmqpValue.List([.. Enumerable.Range(0, 129).Select(i => AmqpValue.String($"R{i}"))]) },
        { "LSU", "ls", AmqpValue.Null },
        { "LSU", "ls", State("B", ("C", 1)) },
        { "LSU", "ls", State("A", ("A", 1)) },
        { "LSU", "ls", State("A", ("B", 0)) },
        { "LSU", "ls", State("A", ("B", -5)) },
        { "LSU", "ls", State("A", ("B", RouterLimits.LinkCostMax + 1)) },
        { "LSU", "ls", State("A", ("", 1)) },
        { "LSU", "ls", State("A", [.. Enumerable.Range(0, 128).Select(i => ($"R{i}", 1L))]) },
        { "MAU", "add", AmqpValue.List() },
        { "MAU", "exist", AmqpValue.String("M0a") },
        { "MAU", "exist", AmqpValue.List(new string('k', RouterLimits.AddressBytesMax + 1)) },
        { "MAR", "id", AmqpValue.String("A") },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_wrong_or_too_much_is_refused(string opcode, string key, AmqpValue value)
    {
        AmqpMap body = new();
        body.Add("id", "A");
        body.Add("pv", 1);
        body.Add("ls_seq", 1);
        body.Add("mobile_seq", 1);
        body.Set(AmqpValue.String(key), value);
        Assert.False(ControlReader.TryRead(WithBody(opcode, body), out _, out string? fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void A_list_that_lies_about_its_length_is_refused()
    {
        // A list32 of 0x7fffffff items in the place of the seen list: four bytes are there.
        byte[] bytes = Written(new Hello("A", 1, ["B"]));
        byte[] lie = [.. bytes[..^6], 0xd0, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0xa1, 1, (byte)'B', 0x40];
        Assert.False(ControlReader.TryRead(lie, out _, out _));
    }

    [Theory]
    [InlineData("amqp:/_local/qdhello", ControlService.Hello, null)]
    [InlineData("_local/qdhello", ControlService.Hello, null)]
    [InlineData("amqp:/_topo/0/all/qdrouter", ControlService.Router, "all")]
    [InlineData("_topo/0/all/qdrouter.ma", ControlService.MobileAddress, "all")]
    [InlineData("amqp:/_topo/0/a/b/qdrouter", ControlService.Router, "a/b")]
    public void Addresses_are_understood(string text, ControlService service, string? router)
    {
        Assert.True(ControlAddress.TryParse(text, out ControlAddress address));
        Assert.Equal(new ControlAddress(service, router), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("amqp:/")]
    [InlineData("amqp:/_topo/0/qdrouter")]
    [InlineData("_topo//all/qdrouter")]
    [InlineData("_topo/0//qdrouter")]
    [InlineData("_topo/0/B/$management")]
    [InlineData("qdrouter")]
    public void Other_addresses_are_not(string text) => Assert.False(ControlAddress.TryParse(text, out _));

    private static AmqpValue State(string id, params (string Id, long Cost)[] peers)
    {
        AmqpMap costs = new();
        foreach ((string peer, long cost) in peers)
        {
            costs.Add(peer, cost);
        }
        AmqpMap state = new();
        state.Add("id", id);
        state.Add("area", "0");
        state.Add("ls_seq", 1);
        state.Add("peers", AmqpValue.Map(costs));
        return AmqpValue.Map(state);
    }

    private static byte[] WithBody(string opcode, AmqpMap body)
    {
        AmqpMap properties = new();
        properties.Add("opcode", opcode);
        AmqpMessage message = AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            Properties = new MessageProperties { To = "amqp:/_topo/0/all/qdrouter" },
            ApplicationProperties = properties,
        };
        return message.ToArray();
    }

    private static ControlEnvelope ReadBody(string opcode, AmqpMap body) => Read(WithBody(opcode, body));

    private static string Ascii(string text) => Convert.ToHexStringLower(System.Text.Encoding.ASCII.GetBytes(text));
}
