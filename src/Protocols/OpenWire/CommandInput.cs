using System.Buffers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>Whole commands of one peer, off the bytes that have come. Used by the connection's loop alone.</summary>
internal sealed class CommandInput
{
    private readonly WireReader _reader = new();
    private bool _hasSizes = WireFormat.Initial.HasSizePrefix;

    /// <summary>From now on commands are read so.</summary>
    public void Use(WireFormat format)
    {
        _reader.Use(format);
        _hasSizes = format.HasSizePrefix;
    }

    /// <summary>Takes the next command; it may be none (null). False: it is not whole yet.</summary>
    /// <exception cref="OpenWireException">It cannot be read, or is larger than the bytes that it may have.</exception>
    public bool TryTake(ref ReadOnlySequence<byte> input, int bytesMax, out IDataStructure? structure)
    {
        if (!_hasSizes)
        {
            return TryTakeUnsized(ref input, bytesMax, out structure);
        }

        structure = null;
        if (!WireFrames.TryTake(input, bytesMax, out ReadOnlySequence<byte> frame))
        {
            return false;
        }

        input = input.Slice(frame.End);
        structure = _reader.Read(frame.IsSingleSegment ? frame.First : frame.ToArray());
        return true;
    }

    // Without sizes only reading shows where a command ends; a command that is not whole is read anew.
    private bool TryTakeUnsized(ref ReadOnlySequence<byte> input, int bytesMax, out IDataStructure? structure)
    {
        structure = null;
        if (input.IsEmpty)
        {
            return false;
        }

        try
        {
            structure = _reader.Read(input.IsSingleSegment ? input.First : input.ToArray());
        }
        catch (OpenWireException e) when (e.IsShort && input.Length < bytesMax)
        {
            return false;
        }

        input = input.Slice(_reader.Position);
        return true;
    }
}
