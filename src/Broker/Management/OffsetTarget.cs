namespace Pillarbox.Broker.Management;

/// <summary>Ways to say where a group shall go on.</summary>
public enum OffsetTargetKind : byte
{
    /// <summary>At the first record that is left.</summary>
    Earliest,

    /// <summary>At the end.</summary>
    Latest,

    /// <summary>At an offset.</summary>
    Offset,

    /// <summary>At the first record at least as young as a time in milliseconds since the Unix epoch; at the end when
    /// all are older.</summary>
    Time,

    /// <summary>So many records further, or back when negative, from what is committed.</summary>
    Shift,
}

/// <summary>Where a group shall go on.</summary>
/// <param name="Kind">How it is said.</param>
/// <param name="Value">The offset, time or number of records; nothing for the ends.</param>
public readonly record struct OffsetTarget(OffsetTargetKind Kind, long Value = 0);

/// <summary>Which partitions of which streams.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Partitions">Null: all of them.</param>
public sealed record StreamSelection(string Stream, IReadOnlyList<int>? Partitions);
