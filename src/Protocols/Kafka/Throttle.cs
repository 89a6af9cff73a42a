using Pillarbox.Broker.Quotas;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// Quotas of one connection (KIP-219): who takes more than its share is answered at once, with the time to wait, and
/// the connection is not read until that time is over. What is written counts when its request comes, what is read when
/// its answer goes. Both loops of the connection.
/// </summary>
internal sealed class Throttle(KafkaSession session)
{
    private long _mutedUntilMs;

    private QuotaBook Book => session.Quotas;

    private KafkaEnvironment Environment => session.Environment;

    /// <summary>For how long the connection is not to be read, in milliseconds.</summary>
    public int MutedForMs =>
        (int)Math.Clamp(Volatile.Read(ref _mutedUntilMs) - Environment.SteadyMs, 0, int.MaxValue);

    /// <summary>A time for <see cref="OnBegun"/>; 0 when nobody has a quota.</summary>
    public long Begin() => session.Identity is null || Book.IsEmpty ? 0 : Environment.Timestamp;

    /// <summary>A request was begun, in the time since <see cref="Begin"/>.</summary>
    public void OnBegun(ApiCall call, int frameBytes, long since)
    {
        if (since == 0 || session.Identity is null)
        {
            return;
        }

        double busyMs = Environment.MsSince(since);
        int waitMs = Take(call, QuotaKind.RequestPercent, busyMs);
        if (call.Header.Key == ApiKey.Produce)
        {
            waitMs = Math.Max(waitMs, Take(call, QuotaKind.ProducerBytes, frameBytes));
        }

        Mute(call, waitMs);
    }

    /// <summary>An answer was written; true when it has to be written once more, for it now says how long to wait.
    /// </summary>
    public bool OnAnswer(ApiCall call, long bytes)
    {
        if (call.Header.Key is not (ApiKey.Fetch or ApiKey.ShareFetch) || Book.IsEmpty)
        {
            return false;
        }

        int before = call.ThrottleMs;
        Mute(call, Take(call, QuotaKind.ConsumerBytes, bytes));
        return call.ThrottleMs > before;
    }

    /// <summary>The most bytes of records that one answer may hold.</summary>
    public int FetchBytesMax(ApiCall call)
    {
        int most = Environment.Options.FetchBytesMax;
        return Book.IsEmpty ? most : Book.WindowOf(QuotaKind.ConsumerBytes, User, ClientOf(call), most);
    }

    /// <summary>
    /// Partitions are to be made or deleted. From a version of each API on (<paramref name="isStrict"/>) the client can
    /// be told to try again, and false says so; older ones are done, and the connection is held back.
    /// </summary>
    public bool TryMutate(ApiCall call, int partitions, bool isStrict)
    {
        if (Book.IsEmpty)
        {
            return true;
        }

        if (!isStrict)
        {
            Mute(call, Take(call, QuotaKind.Mutations, partitions));
            return true;
        }

        bool taken = Book.TryTake(
            QuotaKind.Mutations, User, ClientOf(call), partitions, Environment.SteadyMs, out int waitMs);
        call.ThrottleMs = Math.Max(call.ThrottleMs, waitMs);
        return taken;
    }

    private string User => session.Identity!.Name;

    private static string ClientOf(ApiCall call) => call.Header.ClientId;

    private int Take(ApiCall call, QuotaKind kind, double amount) =>
        Book.Take(kind, User, ClientOf(call), amount, Environment.SteadyMs);

    private void Mute(ApiCall call, int waitMs)
    {
        if (waitMs > 0)
        {
            call.ThrottleMs = Math.Max(call.ThrottleMs, waitMs);
            long until = Environment.SteadyMs + waitMs;
            if (until > Volatile.Read(ref _mutedUntilMs))
            {
                Volatile.Write(ref _mutedUntilMs, until);
            }
        }
    }
}
