using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>One line of the comparison.</summary>
internal interface ILoadRow
{
    string Name { get; }

    string Description { get; }

    /// <summary>Takes minutes; only when asked for by name.</summary>
    bool IsLong { get; }

    /// <summary>Which peers it can measure, in the order of their turns.</summary>
    IReadOnlyList<string> Peers { get; }

    IReadOnlyList<Goal> Goals { get; }

    /// <summary>Measures a peer once.</summary>
    Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options);
}
