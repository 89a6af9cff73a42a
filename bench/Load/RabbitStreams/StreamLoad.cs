using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Pillarbox.Load.RabbitStreams;

/// <summary>What a load on RabbitMQ's streams is: the same as the arguments of <c>pillarbox perf kafka</c> say, with a
/// stream for each partition. Immutable.</summary>
internal sealed record StreamShape
{
    public int BodyBytes { get; init; } = 100;

    public int Producers { get; init; } = 1;

    public int Consumers { get; init; } = 1;

    public int Streams { get; init; } = 1;

    /// <summary>Messages a second of all producers; 0: as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>Messages in one publish command, where no rate is kept.</summary>
    public int BatchMessages { get; init; } = 100;

    /// <summary>Reads the arguments that matter here.</summary>
    public static StreamShape Of(string arguments)
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double Find(string flag, double otherwise) => Array.IndexOf(words, flag) is >= 0 and var at
            ? double.Parse(words[at + 1], CultureInfo.InvariantCulture)
            : otherwise;
        return new StreamShape
        {
            BodyBytes = (int)Find("--size", 100),
            Producers = (int)Find("--producers", 1),
            Consumers = (int)Find("--consumers", 1),
            Streams = (int)Find("--partitions", 1),
            Rate = Find("--rate", 0),
        };
    }
}

/// <summary>The parties of one measurement, a thread for each, and what they count together.</summary>
internal sealed class StreamLoad : IDisposable
{
    private readonly List<StreamPublisher> _publishers = [];
    private readonly List<StreamSubscriber> _subscribers = [];
    private readonly List<Thread> _threads = [];
    private volatile bool _stopped;

    /// <summary>Messages that the server has confirmed.</summary>
    public long Confirmed => _publishers.Sum(p => p.Confirmed);

    /// <summary>Messages delivered to subscribers.</summary>
    public long Delivered => _subscribers.Sum(s => s.Delivered);

    /// <summary>Whether all publishers have sent and seen confirmed what they were to send.</summary>
    public bool ArePublishersDone => _publishers.TrueForAll(p => p.IsDone);

    /// <summary>Makes a stream; it is not there yet.</summary>
    public static void Make(int port, string stream)
    {
        using StreamSocket socket = StreamSocket.Connect(port);
        socket.Ask(StreamCommand.Create, frame => frame.Text(stream).U32(0));
    }

    /// <summary>Takes a stream away, with its messages.</summary>
    public static void Delete(int port, string stream)
    {
        using StreamSocket socket = StreamSocket.Connect(port);
        socket.Ask(StreamCommand.Delete, frame => frame.Text(stream));
    }

    /// <summary>Adds a publisher; <paramref name="messagesMax"/>: it ends after so many.</summary>
    public void AddPublisher(int port, string stream, StreamShape shape, long messagesMax = long.MaxValue)
    {
        StreamPublisher publisher = new(StreamSocket.Connect(port), stream, shape, messagesMax);
        _publishers.Add(publisher);
        _threads.Add(NewThread(publisher.Send));
        _threads.Add(NewThread(publisher.TakeConfirms));
    }

    /// <summary>Adds a subscriber of streams.</summary>
    public void AddSubscriber(int port, IReadOnlyList<string> streams, bool fromFirst)
    {
        StreamSubscriber subscriber = new(StreamSocket.Connect(port), streams, fromFirst);
        _subscribers.Add(subscriber);
        _threads.Add(NewThread(subscriber.Run));
    }

    public void Start() => _threads.ForEach(thread => thread.Start());

    /// <summary>From now on times count.</summary>
    public void BeginMeasure() => _subscribers.ForEach(s => s.BeginMeasure());

    /// <summary>Microseconds from the (intended) sending to the delivery, by share; not a number without any.</summary>
    public double DeliveredUs(double share)
    {
        long[] times = [.. _subscribers.SelectMany(s => s.Times()).Order()];
        return times.Length == 0 ? double.NaN : times[(int)Math.Min(times.Length - 1, times.Length * share)] / 1e3;
    }

    public void Dispose()
    {
        _stopped = true;
        _publishers.ForEach(p => p.Dispose());
        _subscribers.ForEach(s => s.Dispose());
        _threads.ForEach(thread => thread.Join());
    }

    /// <summary>The clock of stamps, in nanoseconds.</summary>
    public static long Now() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private Thread NewThread(Action run) => new(() => Guard(run)) { IsBackground = true };

    private void Guard(Action run)
    {
        try
        {
            run();
        }
        catch (Exception e) when (_stopped && e is SocketException or ObjectDisposedException)
        {
            // The end of the measurement.
        }
    }
}
