using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>
/// Members of a share group that take, finish, give back, reject, die and come too late, over a coordinator that
/// crashes. Beside it stands what every member believes; the two may not contradict each other, and at the end every
/// record is done or a dead letter.
/// </summary>
internal sealed class ShareLife(SeededRandom random, string seed)
{
    private const int LogEnd = 400;
    private const int LockMs = 1_000;
    private static readonly ShareOptions Options = new() { LockMs = LockMs, InFlightMax = 60, RetryMs = 50 };
    private readonly ShareScene _scene = new(Options);
    private readonly Dictionary<long, (string Member, long UntilMs)> _held = [];
    private readonly HashSet<long> _done = [];
    private readonly HashSet<long> _maybeDone = [];
    private readonly Dictionary<long, int> _deliveries = [];
    private readonly List<(Answer<PlainResult> Answer, long[] Offsets, ShareAcknowledgement Type)> _waiting = [];

    public void Run()
    {
        _scene.Begin();
        for (int step = 0; step < 4000; step++)
        {
            Act();
            Collect();
        }

        Settle();
    }

    private void Act()
    {
        string member = $"m{random.Next(4)}";
        switch (random.Next(20))
        {
            case < 6:
                Take(member);
                break;
            case < 14:
                Finish(member);
                break;
            case 14:
                _scene.Coordinator.Release("g", member);
                Forget(h => h.Member == member);
                break;
            case 15:
                _scene.Log.SyncsAtOnce = !_scene.Log.SyncsAtOnce;
                break;
            case 16 when random.Next(5) == 0:
                Crash();
                break;
            case 17:
                _scene.Log.IsFull = random.Next(5) == 0;
                break;
            case 18:
                Advance(random.Next(LockMs));
                break;
            default:
                _scene.Log.Sync();
                Advance(random.Next(50));
                break;
        }
    }

    private void Take(string member)
    {
        SharePosition position = _scene.Begin();
        if (position.Error != CoordinatorError.None || position.NextOffset >= LogEnd)
        {
            return;
        }

        long last = Math.Min(LogEnd - 1, position.NextOffset + random.Next(12));
        foreach (AcquiredRange range in _scene.Acquire(member, position.NextOffset, last, 1 + random.Next(8)))
        {
            for (long offset = range.First; offset <= range.Last; offset++)
            {
                Assert.True(!_held.ContainsKey(offset), $"{offset} is with {member} and another {seed}");
                Assert.True(!_done.Contains(offset), $"{offset} was done and comes again {seed}");
                Assert.True(range.DeliveryCount <= Options.DeliveryCountMax, $"{offset} comes too often {seed}");
                _held[offset] = (member, _scene.Clock.NowMs + LockMs);
                _deliveries[offset] = _deliveries.GetValueOrDefault(offset) + 1;
            }
        }
    }

    private void Finish(string member)
    {
        long[] mine = [.. _held.Where(h => h.Value.Member == member).Select(h => h.Key).Order()];
        if (mine.Length == 0)
        {
            return;
        }

        long first = mine[random.Next(mine.Length)];
        long last = first;
        while (mine.Contains(last + 1) && random.Next(3) != 0)
        {
            last++;
        }

        ShareAcknowledgement type = random.Next(10) switch
        {
            < 6 => ShareAcknowledgement.Accept,
            < 9 => ShareAcknowledgement.Release,
            _ => ShareAcknowledgement.Reject,
        };
        long[] offsets = [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => first + i)];
        _waiting.Add((_scene.AcknowledgeLater(member, first, last, type), offsets, type));
        foreach (long offset in offsets)
        {
            // Whatever the answer: the member no longer thinks that it has them.
            _held.Remove(offset);
            if (type != ShareAcknowledgement.Release)
            {
                _maybeDone.Add(offset);
            }
        }
    }

    private void Collect()
    {
        foreach (var waiting in _waiting.Where(w => w.Answer.HasCome).ToArray())
        {
            _waiting.Remove(waiting);
            CoordinatorError error = waiting.Answer.Value.Error;
            bool fine = error is CoordinatorError.None or CoordinatorError.CoordinatorNotAvailable;
            Assert.True(fine, $"{error} for records that were held {seed}");
            if (error == CoordinatorError.None && waiting.Type != ShareAcknowledgement.Release)
            {
                _done.UnionWith(waiting.Offsets);
            }
        }
    }

    private void Crash()
    {
        Collect();
        _scene.Crash(random.Next(_scene.Log.Unsynced + 1));
        _waiting.Clear();
        _held.Clear();
    }

    private void Advance(long milliseconds)
    {
        _scene.Advance(milliseconds);
        Forget(h => h.UntilMs <= _scene.Clock.NowMs);
    }

    private void Forget(Func<(string Member, long UntilMs), bool> which)
    {
        foreach (long offset in _held.Where(h => which(h.Value)).Select(h => h.Key).ToArray())
        {
            _held.Remove(offset);
        }
    }

    private void Settle()
    {
        _scene.Log.SyncsAtOnce = true;
        _scene.Log.IsFull = false;
        _scene.Log.Sync();
        Advance(LockMs);
        for (int i = 0; i < 2000 && _scene.Begin().StartOffset < LogEnd; i++)
        {
            Take("m0");
            Finish("m0");
            Collect();
            Advance(20);
        }

        Assert.True(_scene.Begin().StartOffset == LogEnd, $"stuck at {_scene.Begin().StartOffset} {seed}");
        HashSet<long> dead = [.. _scene.DeadLetters.Select(d => d.Offset)];
        for (long offset = 0; offset < LogEnd; offset++)
        {
            bool accounted = _done.Contains(offset) || _maybeDone.Contains(offset) || dead.Contains(offset);
            Assert.True(accounted, $"{offset} is neither done nor dead {seed}");
            Assert.True(_deliveries[offset] > 0, $"{offset} was never given out {seed}");
        }
    }
}
