using System.IO.Pipelines;

namespace Pillarbox.ConsoleApi;

/// <summary>A figure that every item of a kind has.</summary>
/// <param name="Name">Letters, digits and underscores.</param>
/// <param name="Type">counter or gauge.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Value">Reads it.</param>
internal sealed record Metric<T>(string Name, string Type, string Help, Func<T, long> Value)
{
    private const int FlushBytes = 256 << 10;

    /// <summary>Writes all figures of all items; large lists are flushed in between.</summary>
    public static async Task WriteAllAsync(
        PipeWriter output, MetricsText text, Metric<T>[] metrics, IReadOnlyList<T> items, Func<T, byte[]> labels)
    {
        byte[][] encoded = [.. items.Select(labels)];
        foreach (Metric<T> metric in metrics)
        {
            text.Begin(metric.Name, metric.Type, metric.Help);
            for (int i = 0; i < encoded.Length; i++)
            {
                text.Sample(encoded[i], metric.Value(items[i]));
                if (output.UnflushedBytes > FlushBytes)
                {
                    await output.FlushAsync();
                }
            }
        }
    }
}
