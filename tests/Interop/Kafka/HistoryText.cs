using System.Globalization;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>
/// Reads what a client of librdkafka/crash.c has written down into a history: one client, over all its lives. A
/// transaction that was never asked to commit has failed, whatever became of its client.
/// </summary>
internal sealed class HistoryText(StreamHistory history, string process, string? group = null)
{
    private readonly Dictionary<string, Sent> _open = [];
    private readonly Dictionary<string, ReaderLife> _lives = [];
    private readonly List<OffsetCommit> _commits = [];
    private Unit? _unit;
    private int _begun;

    public void Read(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            Read(words[0], long.Parse(words[1], CultureInfo.InvariantCulture), words[2..]);
        }

        EndUnit(Outcome.Unknown, long.MaxValue);
    }

    private void Read(string letter, long at, string[] words)
    {
        switch (letter)
        {
            case "N" or "B":
                Begin(letter == "B", at);
                break;
            case "S" or "A" or "F":
                Send(letter, at, words);
                break;
            case "C":
                _unit!.AskCommit(at);
                break;
            case "K" or "X":
                EndUnit(letter == "K" ? Outcome.Good : Outcome.Failed, at);
                break;
            case "U" when _unit is not null:
                EndUnit(Outcome.Unknown, at);
                break;
            case "L" or "P" or "R":
                Poll(letter, at, words);
                break;
            default:
                Commit(letter, at, words);
                break;
        }
    }

    private void Begin(bool isTransaction, long at)
    {
        EndUnit(Outcome.Unknown, at);
        _commits.Clear();
        _open.Clear();
        if (isTransaction) _unit = history.Begin(process, true, at, process, _begun);
        else _begun++;
    }

    private void Send(string letter, long at, string[] words)
    {
        (string partition, string value) = (words[0], words[1]);
        if (letter == "S") _open[value] = (_unit ?? history.Begin(process, false, at)).Send(partition, value, at);
        else if (!_open.Remove(value, out Sent? sent)) return;
        else if (letter == "F") sent.Fail(at);
        else sent.Acknowledge(long.Parse(words[2], CultureInfo.InvariantCulture), at);
    }

    private void Poll(string letter, long at, string[] words)
    {
        if (letter == "L")
        {
            _lives[words[0]] = history.BeginLife(process, true, group);
            return;
        }

        var polled = new Polled(words[0], long.Parse(words[1], CultureInfo.InvariantCulture), words[2], at);
        if (letter == "R") _unit!.Read(polled);
        else _lives[words[0]].Poll(polled);
    }

    private void Commit(string letter, long at, string[] words)
    {
        switch (letter)
        {
            case "Q" or "T":
                long offset = long.Parse(words[1], CultureInfo.InvariantCulture);
                Unit? unit = letter == "T" ? _unit : null;
                OffsetCommit commit = history.Commit(group ?? process, words[0], offset, at, unit);
                if (unit is null) _commits.Add(commit);
                break;
            case "H" or "J" or "U":
                Outcome outcome = letter == "H" ? Outcome.Good : letter == "J" ? Outcome.Failed : Outcome.Unknown;
                _commits.ForEach(c => c.End(outcome, at));
                _commits.Clear();
                break;
            default:
                throw new InvalidOperationException($"{process} wrote {letter}");
        }
    }

    private void EndUnit(Outcome outcome, long at)
    {
        bool isNothing = outcome == Outcome.Unknown && _unit?.CommitAskedAt == long.MaxValue;
        _unit?.End(isNothing ? Outcome.Failed : outcome, at);
        _unit = null;
    }
}
