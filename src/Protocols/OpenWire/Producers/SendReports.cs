using Pillarbox.Broker;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>A message that was published and whose sender is told when that is done.</summary>
internal struct SendReport
{
    public int CommandId;
    public bool ResponseRequired;
    public ProducerEndpoint Producer;
    public int Bytes;

    /// <summary>Publishes that are not told yet: one for each destination.</summary>
    public int Parts;
    public BrokerException? Error;
}

/// <summary>Sends under way, oldest first: the broker tells their ends in the order in which they came.</summary>
internal sealed class SendReports
{
    private readonly Queue<SendReport> _reports = new();
    private SendReport _oldest;
    private bool _hasOldest;

    public void Add(in SendReport report) => _reports.Enqueue(report);

    /// <summary>One publish ended; true: with it the whole send.</summary>
    public bool OnPublished(BrokerException? error, out SendReport done)
    {
        if (!_hasOldest)
        {
            _oldest = _reports.Dequeue();
            _hasOldest = true;
        }

        _oldest.Error ??= error;
        done = _oldest;
        if (--_oldest.Parts > 0)
        {
            return false;
        }

        _hasOldest = false;
        _oldest = default;
        return true;
    }
}
