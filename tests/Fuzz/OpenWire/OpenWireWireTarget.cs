using System.Buffers;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Protocols.OpenWire.Tests.Wire;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Fuzz.OpenWire;

/// <summary>
/// The OpenWire codec: every structure in every version, tight and loose, mutated, is read. What was read is written
/// and read again: it must be the same. The first byte of an input says version and encoding.
/// </summary>
internal sealed class OpenWireWireTarget : IFuzzTarget
{
    private const int SamplesPerKind = 4;
    private const int CorpusSeed = 1;
    private const byte TightBit = 0x80;

    private readonly List<byte[]> _corpus = [];
    private readonly ArrayBufferWriter<byte> _output = new();

    public OpenWireWireTarget()
    {
        var random = new Random(CorpusSeed);
        for (int sample = 0; sample < SamplesPerKind; sample++)
        {
            for (int version = 1; version <= WireLimits.VersionMax; version++)
            {
                foreach (DataType type in DataTypesUnderTest.All)
                {
                    IDataStructure structure = SampleFields.Make(type, random, version);
                    _corpus.Add([(byte)version, .. Write(structure, FormatOf((byte)version))]);
                    byte tight = (byte)(version | TightBit);
                    _corpus.Add([tight, .. Write(structure, FormatOf(tight))]);
                }
            }
        }
    }

    public byte[] Make(Random random)
    {
        byte[] sample = _corpus[random.Next(_corpus.Count)];
        return random.Next(16) == 0 ? sample : [sample[0], .. new AmqpGrammar(random).Mutate(sample[1..])];
    }

    public void Take(byte[] input)
    {
        WireFormat format = FormatOf(input[0]);
        if (Read(input.AsMemory(1), format) is not { } structure)
        {
            return;
        }

        byte[] once = Write(structure, format);
        IDataStructure? again = Read(once, format);
        if (again is null || !once.AsSpan().SequenceEqual(Write(again, format)))
        {
            throw new InvalidOperationException($"a {structure.Type} became another one");
        }
    }

    private static WireFormat FormatOf(byte kind) => new(
        Math.Clamp(kind & ~TightBit, 1, WireLimits.VersionMax), IsTight: (kind & TightBit) != 0, HasSizePrefix: false);

    private static IDataStructure? Read(ReadOnlyMemory<byte> bytes, WireFormat format)
    {
        var reader = new WireReader();
        reader.Use(format);
        try
        {
            return reader.Read(bytes);
        }
        catch (OpenWireException)
        {
            return null;
        }
    }

    private byte[] Write(IDataStructure structure, WireFormat format)
    {
        var writer = new WireWriter();
        writer.Use(format);
        _output.ResetWrittenCount();
        writer.Write(structure, _output);
        return _output.WrittenSpan.ToArray();
    }
}
