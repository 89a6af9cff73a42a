using System.Diagnostics;
using Pillarbox.Load.Peers;
using Pillarbox.Load.RabbitStreams;

namespace Pillarbox.Load.Rows;

/// <summary>Measures RabbitMQ's streams as <c>pillarbox perf kafka</c> measures servers of the Kafka protocol.
/// </summary>
internal static class RabbitStreamMeasure
{
    private const double WarmUpSeconds = 3;
    private const double DoneSecondsMax = 1800;
    private static int _names;

    /// <summary>Publishes and reads for a time.</summary>
    public static async Task<Dictionary<string, double>> RunAsync(
        RabbitMqPeer peer, StreamShape shape, LoadOptions options)
    {
        string[] streams = Make(peer, shape.Streams);
        using StreamLoad load = new();
        for (int i = 0; i < shape.Consumers; i++)
        {
            load.AddSubscriber(peer.StreamPort, streams, fromFirst: false);
        }

        for (int i = 0; i < shape.Producers; i++)
        {
            load.AddPublisher(peer.StreamPort, streams[i % streams.Length], shape);
        }

        load.Start();
        await Task.Delay(TimeSpan.FromSeconds(WarmUpSeconds));
        load.BeginMeasure();
        long Count() => shape.Consumers > 0 ? load.Delivered : load.Confirmed;
        (long Messages, double Cpu) before = (Count(), Processes.CpuSeconds(peer.Pid));
        await Task.Delay(TimeSpan.FromSeconds(options.DurationSeconds));
        (long Messages, double Cpu) after = (Count(), Processes.CpuSeconds(peer.Pid));
        long messages = after.Messages - before.Messages;
        Dictionary<string, double> figures = new()
        {
            [Figure.Rate] = messages / options.DurationSeconds,
            [Figure.ServerCpuUs] = (after.Cpu - before.Cpu) * 1e6 / Math.Max(1, messages),
            [Figure.ResidentMiB] = Processes.ResidentMiB(peer.Pid),
        };
        if (shape.Consumers > 0)
        {
            figures[Figure.DeliveredP50Us] = load.DeliveredUs(0.5);
            figures[Figure.DeliveredP99Us] = load.DeliveredUs(0.99);
        }

        return figures;
    }

    /// <summary>Makes a stream and writes so many messages; returns its name.</summary>
    public static async Task<string> FillAsync(RabbitMqPeer peer, string? stream, int bodyBytes, long messages)
    {
        stream ??= Make(peer, 1)[0];
        using StreamLoad load = new();
        load.AddPublisher(peer.StreamPort, stream, new StreamShape { BodyBytes = bodyBytes }, messages);
        load.Start();
        await UntilAsync(() => load.ArePublishersDone);
        return stream;
    }

    /// <summary>Reads so many messages from the start; returns messages a second.</summary>
    public static async Task<double> DrainAsync(RabbitMqPeer peer, string stream, long messages)
    {
        using StreamLoad load = new();
        load.AddSubscriber(peer.StreamPort, [stream], fromFirst: true);
        long start = Stopwatch.GetTimestamp();
        load.Start();
        await UntilAsync(() => load.Delivered >= messages);
        return messages / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string[] Make(RabbitMqPeer peer, int count)
    {
        string[] streams = [.. Enumerable.Range(0, count).Select(_ => $"load-{_names++}")];
        Array.ForEach(streams, stream => StreamLoad.Make(peer.StreamPort, stream));
        return streams;
    }

    private static async Task UntilAsync(Func<bool> isDone)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isDone())
        {
            await Task.Delay(2);
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > DoneSecondsMax)
            {
                throw new InvalidOperationException("RabbitMQ did not come to an end");
            }
        }
    }
}
