namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// Anything with a type byte. Its fields are named once, in the order of the wire, and the same list reads and writes
/// every version in tight and in loose encoding.
/// </summary>
internal interface IDataStructure
{
    DataType Type { get; }

    /// <summary>Names the fields, each with the version that brought it.</summary>
    void Visit(WireFields fields);
}

/// <summary>A structure that travels by itself and may ask for an answer.</summary>
internal abstract class Command : IDataStructure
{
    /// <summary>The sender's number for it; the answer names it.</summary>
    public int CommandId;

    /// <summary>Whether the sender waits for an answer.</summary>
    public bool ResponseRequired;

    public abstract DataType Type { get; }

    public void Visit(WireFields fields)
    {
        fields.Int(ref CommandId);
        fields.Boolean(ref ResponseRequired);
        VisitFields(fields);
    }

    protected abstract void VisitFields(WireFields fields);
}
