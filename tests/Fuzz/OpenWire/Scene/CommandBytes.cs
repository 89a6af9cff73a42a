using System.Buffers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Fuzz.OpenWire.Scene;

/// <summary>Commands as a peer writes them, numbered.</summary>
internal sealed class CommandBytes
{
    private readonly WireWriter _writer = new();
    private readonly WireFormat _format;
    private int _lastCommand;

    public CommandBytes(WireFormat format)
    {
        _format = format;
        _writer.Use(format);
    }

    /// <summary>The first command, which is written before anything is agreed on.</summary>
    public byte[] Greeting()
    {
        var bytes = new ArrayBufferWriter<byte>();
        new WireWriter().Write(OpenWireSteps.Greeting(_format), bytes);
        return bytes.WrittenSpan.ToArray();
    }

    public byte[] Of(IDataStructure structure)
    {
        if (structure is Command command)
        {
            command.CommandId = ++_lastCommand;
            command.ResponseRequired = true;
        }

        var bytes = new ArrayBufferWriter<byte>();
        _writer.Write(structure, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
