using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>The latest of what the router noticed of others, as lines of a log. Under the network's lock.</summary>
internal sealed class NoticedLines(TimeProvider time)
{
    /// <summary>Lines that are kept.</summary>
    private const int LinesMax = 500;

    private readonly Queue<LogLine> _lines = [];

    /// <summary>The oldest first.</summary>
    public IReadOnlyCollection<LogLine> Lines => _lines;

    /// <summary>Something was noticed. The module names are those that the tools of other routers know.</summary>
    public void Add(in RouterEvent happened)
    {
        string module = happened.Kind switch
        {
            RouterEventKind.NeighborUp or RouterEventKind.NeighborLost or RouterEventKind.DuplicateId
                or RouterEventKind.WrongId => "ROUTER_HELLO",
            RouterEventKind.TooManyAddresses => "ROUTER_MA",
            _ => "ROUTER_LS",
        };
        if (_lines.Count >= LinesMax)
        {
            _lines.Dequeue();
        }

        string text = $"{happened.Kind} {happened.Router} {happened.Detail}".TrimEnd();
        _lines.Enqueue(new LogLine(time.GetUtcNow().ToUnixTimeSeconds(), module, "info", text));
    }
}
