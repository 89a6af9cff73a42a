using Pillarbox.Simulation.Tests.History;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>What clients write down becomes the history that it was; what is wrong in it is found.</summary>
public sealed class HistoryTextTests
{
    private const string Committed = "N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,C 5,K 6";

    [Theory]
    [InlineData(Committed, "L 7 e/0,P 8 e/0 0 a")]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,C 5,U 6", "L 7 e/0,P 8 e/0 0 a")]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,C 5,N 6", "L 7 e/0,P 8 e/0 0 a")]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,X 5", "L 7 e/0")]
    [InlineData("N 1,S 2 e/0 a,A 3 e/0 a 0,S 4 e/0 b", "L 7 e/0,P 8 e/0 0 a,L 9 e/0,P 10 e/0 0 a")]
    [InlineData("N 1,S 2 e/0 a,F 3 e/0 a", "L 7 e/0")]
    public void Good_logs_are_good(string writer, string reader) => Assert.Empty(Check(writer, reader));

    [Theory]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,X 6", "L 7 e/0,P 8 e/0 0 a", AnomalyKind.AbortedRead)]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,N 6", "L 7 e/0,P 8 e/0 0 a", AnomalyKind.AbortedRead)]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,U 6", "L 7 e/0,P 8 e/0 0 a", AnomalyKind.AbortedRead)]
    [InlineData("N 1,B 2,S 3 e/0 a,A 4 e/0 a 0,C 9,K 10", "L 7 e/0,P 8 e/0 0 a", AnomalyKind.PrecommittedRead)]
    [InlineData(Committed, "L 7 e/0", AnomalyKind.Unseen)]
    [InlineData(Committed, "L 7 e/0,P 8 e/0 1 a", AnomalyKind.Duplicate)]
    [InlineData(Committed, "L 7 e/0,P 8 e/0 0 a,P 9 e/0 1 z", AnomalyKind.Phantom)]
    [InlineData(Committed, "L 7 e/0,P 8 e/0 0 a,P 9 e/0 0 a", AnomalyKind.NonmonotonicPoll)]
    [InlineData("N 1,S 2 e/0 a,A 3 e/0 a 0,S 4 e/0 b,A 5 e/0 b 1", "L 7 e/0,P 8 e/0 1 b", AnomalyKind.LostWrite)]
    public void Bad_logs_are_bad(string writer, string reader, object kind) =>
        Assert.Contains((AnomalyKind)kind, Check(writer, reader).Select(anomaly => anomaly.Kind));

    private static IReadOnlyList<Anomaly> Check(string writer, string reader)
    {
        var history = new StreamHistory();
        new HistoryText(history, "writer").Read(writer.Split(','));
        new HistoryText(history, "reader", "g").Read(reader.Split(','));
        history.Final = history.Lives[^1];
        history.IsDrained("g");
        return StreamChecker.Check(history);
    }
}
