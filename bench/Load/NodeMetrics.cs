using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load;

/// <summary>What a node's <c>/metrics</c> says, for figures that only the node itself knows.</summary>
internal sealed class NodeMetrics(PillarboxPeer peer) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(peer.HttpUrl) };

    /// <summary>One metric without labels.</summary>
    public async Task<double> ReadAsync(string metric) => ValueOf(await _http.GetStringAsync("/metrics"), metric);

    /// <summary>Bytes allocated, and messages published, since the node started.</summary>
    public async Task<(double Bytes, double Messages)> ReadAllocatedAsync()
    {
        string text = await _http.GetStringAsync("/metrics");
        return (ValueOf(text, "dotnet_allocated_bytes_total"), ValueOf(text, "pillarbox_published_total"));
    }

    public void Dispose() => _http.Dispose();

    private static double ValueOf(string text, string metric)
    {
        string line = text.Split('\n').First(l => l.StartsWith(metric + " ", StringComparison.Ordinal));
        return double.Parse(line.AsSpan(metric.Length), CultureInfo.InvariantCulture);
    }
}
