namespace Pillarbox.Simulation.Tests.History;

/// <summary>The checker finds each anomaly in a history that has it, and none in good ones.</summary>
public sealed class StreamCheckerTests
{
    private const string P = "p";
    private const string Q = "q";

    [Fact]
    public void A_good_history_is_good()
    {
        var story = new Story();
        Unit one = story.Transaction("a", Outcome.Good, (P, "1", 0), (P, "2", 1), (Q, "3", 0));
        story.Transaction("b", Outcome.Failed, (P, "4", 3));
        story.Record("c", P, "5", 5);
        ReaderLife reader = story.Reader("r");
        reader.Poll(story.Polled(P, 0, "1"), story.Polled(P, 1, "2"));
        reader.Poll(story.Polled(P, 5, "5"));
        story.Final((P, 0, "1"), (P, 1, "2"), (P, 5, "5"), (Q, 0, "3"));
        Assert.Equal(Outcome.Good, one.Outcome);
        Assert.Empty(StreamChecker.CheckAll(story.History));
    }

    [Fact]
    public void What_nobody_knows_may_be_there_or_not()
    {
        var story = new Story();
        story.Transaction("a", Outcome.Unknown, (P, "1", 0), (P, "2", 1));
        story.Transaction("a", Outcome.Unknown, (P, "3", 2), (P, "4", 3));
        story.History.Begin("b", false, story.Now).Send(P, "5", story.Now);
        story.Final((P, 0, "1"), (P, 1, "2"));
        Assert.Empty(StreamChecker.CheckAll(story.History));
    }

    [Fact]
    public void Inconsistent_offsets() => Expect(AnomalyKind.InconsistentOffsets, story =>
    {
        story.Record("a", P, "1", 0);
        story.Record("b", P, "2", 0);
    });

    [Fact]
    public void Duplicate() => Expect(AnomalyKind.Duplicate, story =>
    {
        story.Record("a", P, "1", 0);
        story.Final((P, 0, "1"), (P, 1, "1"));
    });

    [Fact]
    public void Lost_write() => Expect(AnomalyKind.LostWrite, story =>
    {
        story.Record("a", P, "1", 0);
        story.Record("a", P, "2", 1);
        story.Final((P, 1, "2"));
    });

    [Fact]
    public void Unseen() => Expect(AnomalyKind.Unseen, story =>
    {
        story.Record("a", P, "1", 0);
        story.Record("a", P, "2", 1);
        story.Final((P, 0, "1"));
    });

    [Fact]
    public void Unseen_by_a_group() => Expect(AnomalyKind.Unseen, story =>
    {
        story.Record("a", P, "1", 0);
        story.Record("a", P, "2", 1);
        story.Final((P, 0, "1"), (P, 1, "2"));
        story.History.BeginLife("m", true, "g").Poll(story.Polled(P, 1, "2"));
        story.History.IsDrained("g");
    });

    [Fact]
    public void Phantom() => Expect(AnomalyKind.Phantom, story => story.Final((P, 0, "nobody's")));

    [Fact]
    public void Aborted_read() => Expect(AnomalyKind.AbortedRead, story =>
    {
        story.Transaction("a", Outcome.Failed, (P, "1", 0));
        story.Reader("r").Poll(story.Polled(P, 0, "1"));
    });

    [Fact]
    public void Precommitted_read() => Expect(AnomalyKind.PrecommittedRead, story =>
    {
        Unit unit = story.History.Begin("a", true, story.Now);
        unit.Send(P, "1", story.Now).Acknowledge(0, story.Now);
        story.Reader("r").Poll(story.Polled(P, 0, "1"));
        unit.AskCommit(story.Now);
        unit.End(Outcome.Good, story.Now);
    });

    [Fact]
    public void Torn_transaction() => Expect(AnomalyKind.TornTransaction, story =>
    {
        story.Transaction("a", Outcome.Unknown, (P, "1", 0), (Q, "2", 0));
        story.Final((P, 0, "1"));
    });

    [Fact]
    public void Fenced_write() => Expect(AnomalyKind.FencedWrite, story =>
    {
        story.History.Fence("t", 2, story.Now);
        Unit unit = story.History.Begin("a", true, story.Now, "t", 1);
        unit.Send(P, "1", story.Now).Acknowledge(0, story.Now);
        unit.AskCommit(story.Now);
        unit.End(Outcome.Unknown, story.Now);
        story.Final((P, 0, "1"));
    });

    [Fact]
    public void Poll_skip() => Expect(AnomalyKind.PollSkip, story =>
    {
        Three(story);
        ReaderLife reader = story.Reader("r");
        reader.Poll(story.Polled(P, 0, "0"));
        reader.Poll(story.Polled(P, 2, "2"));
    });

    [Fact]
    public void Int_poll_skip() => Expect(AnomalyKind.IntPollSkip, story =>
    {
        Three(story);
        story.Reader("r").Poll(story.Polled(P, 0, "0"), story.Polled(P, 2, "2"));
    });

    [Fact]
    public void A_new_life_may_begin_anywhere_and_what_was_aborted_is_no_gap()
    {
        var story = new Story();
        Three(story);
        story.Transaction("b", Outcome.Failed, (P, "x", 3));
        story.Record("a", P, "4", 5);
        story.Reader("r").Poll(story.Polled(P, 0, "0"));
        ReaderLife again = story.Reader("r");
        again.Poll(story.Polled(P, 2, "2"));
        again.Poll(story.Polled(P, 5, "4"));
        story.Final((P, 0, "0"), (P, 1, "1"), (P, 2, "2"), (P, 5, "4"));
        Assert.Empty(StreamChecker.CheckAll(story.History));
    }

    [Fact]
    public void Nonmonotonic_poll() => Expect(AnomalyKind.NonmonotonicPoll, story =>
    {
        Three(story);
        ReaderLife reader = story.Reader("r");
        reader.Poll(story.Polled(P, 1, "1"));
        reader.Poll(story.Polled(P, 0, "0"));
    });

    [Fact]
    public void Int_nonmonotonic_poll() => Expect(AnomalyKind.IntNonmonotonicPoll, story =>
    {
        Three(story);
        story.Reader("r").Poll(story.Polled(P, 1, "1"), story.Polled(P, 1, "1"));
    });

    [Fact]
    public void Nonmonotonic_send() => Expect(AnomalyKind.NonmonotonicSend, story =>
    {
        story.Record("a", P, "1", 1);
        story.Record("b", P, "2", 0);
    });

    [Fact]
    public void Int_nonmonotonic_send() => Expect(AnomalyKind.IntNonmonotonicSend, story =>
        story.Transaction("a", Outcome.Good, (P, "1", 1), (P, "2", 0)));

    [Fact]
    public void Int_send_skip_is_found_and_allowed()
    {
        var story = new Story();
        Unit unit = story.History.Begin("a", true, story.Now);
        unit.Send(P, "1", story.Now).Acknowledge(0, story.Now);
        story.Record("b", P, "x", 1);
        unit.Send(P, "2", story.Now).Acknowledge(2, story.Now);
        unit.AskCommit(story.Now);
        unit.End(Outcome.Good, story.Now);
        story.Final((P, 0, "1"), (P, 1, "x"), (P, 2, "2"));
        Assert.Equal([AnomalyKind.IntSendSkip], StreamChecker.CheckAll(story.History).Select(a => a.Kind));
        Assert.Empty(StreamChecker.Check(story.History));
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(7, false)]
    [InlineData(3, true)]
    [InlineData(6, true)]
    [InlineData(-1, true)]
    public void Lost_offset(long told, bool isWrong)
    {
        var story = new Story();
        story.History.Commit("g", P, 3, story.Now).End(Outcome.Good, story.Now);
        story.History.Commit("g", P, 5, story.Now).End(Outcome.Good, story.Now);
        story.History.Commit("g", P, 7, story.Now).End(Outcome.Unknown, story.Now);
        story.History.ReadOffset("g", P, told, story.Now, story.Now);
        Assert.Equal(isWrong ? [AnomalyKind.LostOffset] : [], StreamChecker.Check(story.History).Select(a => a.Kind));
    }

    [Fact]
    public void Aborted_offset() => Expect(AnomalyKind.AbortedOffset, story =>
    {
        Unit unit = story.History.Begin("a", true, story.Now);
        story.History.Commit("g", P, 3, story.Now, unit);
        unit.End(Outcome.Failed, story.Now);
        story.History.ReadOffset("g", P, 3, story.Now, story.Now);
    });

    [Fact]
    public void G0_is_found_and_allowed()
    {
        var story = new Story();
        Unit a = story.History.Begin("a", true, story.Now);
        Unit b = story.History.Begin("b", true, story.Now);
        a.Send(P, "1", story.Now).Acknowledge(0, story.Now);
        b.Send(P, "2", story.Now).Acknowledge(1, story.Now);
        b.Send(Q, "3", story.Now).Acknowledge(0, story.Now);
        a.Send(Q, "4", story.Now).Acknowledge(1, story.Now);
        Commit(story, a);
        Commit(story, b);
        story.Final((P, 0, "1"), (P, 1, "2"), (Q, 0, "3"), (Q, 1, "4"));
        Assert.Equal([AnomalyKind.G0], StreamChecker.CheckAll(story.History).Select(x => x.Kind));
        Assert.Empty(StreamChecker.Check(story.History));
    }

    [Fact]
    public void G1c() => Expect(AnomalyKind.G1c, story =>
    {
        Unit a = story.History.Begin("a", true, story.Now);
        Unit b = story.History.Begin("b", true, story.Now);
        a.Send(P, "1", story.Now).Acknowledge(0, story.Now);
        b.Send(Q, "2", story.Now).Acknowledge(0, story.Now);
        a.Read(story.Polled(Q, 0, "2"));
        b.Read(story.Polled(P, 0, "1"));
        Commit(story, a);
        Commit(story, b);
        story.Final((P, 0, "1"), (Q, 0, "2"));
    });

    [Fact]
    public void G1c_by_process() => Expect(AnomalyKind.G1cProcess, story => ReadsTheFuture(story, "a", "a"));

    [Fact]
    public void G1c_by_time() => Expect(AnomalyKind.G1cRealtime, story => ReadsTheFuture(story, "a", "b"));

    [Fact]
    public void Compaction_excuses_what_was_replaced_and_nothing_else()
    {
        var story = new Story();
        story.History.IsCompacted(P);
        Unit unit = story.History.Begin("a", false, story.Now);
        unit.Send(P, "1", story.Now, "k").Acknowledge(0, story.Now);
        unit.Send(P, "2", story.Now, "k").Acknowledge(1, story.Now);
        unit.Send(P, "3", story.Now, "l").Acknowledge(2, story.Now);
        unit.Send(P, "4", story.Now, "m").Acknowledge(3, story.Now);
        story.Final((P, 1, "2"), (P, 3, "4"));
        Assert.Equal(
            ["LostWrite: p 2 3 of a is gone"], StreamChecker.Check(story.History).Select(anomaly => $"{anomaly}"));
    }

    [Fact]
    public void Retention_excuses_what_is_below_the_start()
    {
        var story = new Story();
        Three(story);
        story.History.MayBeGone(P, 1);
        story.Final((P, 2, "2"));
        Assert.Equal(
            ["LostWrite: p 1 1 of a is gone"], StreamChecker.Check(story.History).Select(anomaly => $"{anomaly}"));
    }

    private static void Three(Story story)
    {
        for (int i = 0; i < 3; i++)
        {
            story.Record("a", P, $"{i}", i);
        }
    }

    private static void Commit(Story story, Unit unit)
    {
        unit.AskCommit(story.Now);
        unit.End(Outcome.Good, story.Now);
    }

    private static void ReadsTheFuture(Story story, string first, string second)
    {
        Unit a = story.History.Begin(first, true, story.Now);
        a.Read(story.Polled(P, 0, "1"));
        Commit(story, a);
        story.Transaction(second, Outcome.Good, (P, "1", 0));
        story.Final((P, 0, "1"));
    }

    private static void Expect(AnomalyKind kind, Action<Story> tell)
    {
        var story = new Story();
        tell(story);
        Assert.Contains(kind, StreamChecker.Check(story.History).Select(anomaly => anomaly.Kind));
    }

    /// <summary>A history in few words; time goes on with every word.</summary>
    private sealed class Story
    {
        private long _now;

        public StreamHistory History { get; } = new();

        public long Now => ++_now;

        public Polled Polled(string partition, long offset, string value) => new(partition, offset, value, Now);

        public ReaderLife Reader(string name) => History.BeginLife(name, true);

        public void Record(string process, string partition, string value, long offset) =>
            History.Begin(process, false, Now).Send(partition, value, Now).Acknowledge(offset, Now);

        public Unit Transaction(
            string process, Outcome outcome, params (string Partition, string Value, long Offset)[] sends)
        {
            Unit unit = History.Begin(process, true, Now);
            foreach ((string partition, string value, long offset) in sends)
            {
                unit.Send(partition, value, Now).Acknowledge(offset, Now);
            }

            if (outcome != Outcome.Failed)
            {
                unit.AskCommit(Now);
            }

            unit.End(outcome, Now);
            return unit;
        }

        public void Final(params (string Partition, long Offset, string Value)[] records)
        {
            History.Final = History.BeginLife("final", true);
            History.Final.Poll([.. records.Select(r => Polled(r.Partition, r.Offset, r.Value))]);
        }
    }
}
