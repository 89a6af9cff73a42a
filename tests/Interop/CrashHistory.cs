namespace Pillarbox.Interop.Tests;

/// <summary>
/// What clients saw over many lives of a server, and the rules that it has to obey. A sender's log holds A
/// (acknowledged),
/// G (group committed) and E (number begun) lines; a receiver's log holds C (connection opened), R (came) and F
/// (settlement acknowledged) lines, in the order in which they happened; see proton/crash_client.py.
/// </summary>
internal sealed class CrashHistory
{
    /// <summary>Messages of one transaction, as in crash_client.py.</summary>
    public const int GroupSize = 5;

    private readonly Dictionary<string, Sender> _senders = [];
    private readonly HashSet<(string Sender, int Number)> _came = [];
    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations => _violations;

    public int Acknowledged => _senders.Values.Sum(s => s.Acknowledged.Count);

    public int Came => _came.Count;

    public int Settled { get; private set; }

    public void AddSender(string name, IEnumerable<string> log, bool transactional = false)
    {
        var sender = new Sender(transactional);
        foreach (string[] words in log.Select(line => line.Split(' ')))
        {
            int number = words.Length > 1 ? int.Parse(words[1]) : 0;
            if (words[0] == "A") sender.Acknowledged.Add(number);
            if (words[0] == "G")
                sender.Acknowledged.UnionWith(Enumerable.Range(number * GroupSize, GroupSize));
            if (words[0] == "E") sender.Begun = number;
        }
        _senders.Add(name, sender);
    }

    /// <summary>The receivers of one queue, one after the other; without order where messages are given
    /// back.</summary>
    public void AddReceiver(string queue, IEnumerable<string> log, bool isOrdered = true)
    {
        var first = new Dictionary<string, int>();
        var inConnection = new Dictionary<string, int>();
        var settled = new HashSet<(string, int)>();
        foreach (string[] words in log.Select(line => line.Split(' ')))
        {
            if (words[0] == "C") inConnection.Clear();
            if (words.Length < 3) continue;
            var message = (Sender: words[1], Number: int.Parse(words[2]));
            if (words[0] == "F") settled.Add(message);
            if (words[0] != "R") continue;
            if (settled.Contains(message)) Report(queue, message, "came after its acknowledged settlement");
            bool isFirst = _came.Add(message);
            if (isOrdered) CheckOrder(queue, message, inConnection);
            if (isOrdered && isFirst) CheckOrder(queue, message, first);
        }
        Settled += settled.Count;
    }

    /// <summary>The rules that need all logs; call it last.</summary>
    public void Finish()
    {
        foreach (var (name, sender) in _senders)
        {
            foreach (int number in sender.Acknowledged.Where(n => !_came.Contains((name, n))))
                Report("", (name, number), "was acknowledged and is lost");
            if (sender.Transactional) CheckGroups(name, sender);
        }
        foreach (var message in _came)
        {
            if (!_senders.TryGetValue(message.Sender, out Sender? sender) || message.Number >= sender.Begun)
                Report("", message, "was never sent");
        }
    }

    // Within a connection, and among first appearances, the numbers of a sender only rise.
    private void CheckOrder(string queue, (string Sender, int Number) message, Dictionary<string, int> last)
    {
        if (last.TryGetValue(message.Sender, out int before) && before >= message.Number)
            Report(queue, message, $"came after {before}");
        last[message.Sender] = message.Number;
    }

    private void CheckGroups(string name, Sender sender)
    {
        for (int start = 0; start + GroupSize <= sender.Begun; start += GroupSize)
        {
            int came = Enumerable.Range(start, GroupSize).Count(n => _came.Contains((name, n)));
            if (came is not (0 or GroupSize)) Report("", (name, start), $"begins a transaction of which {came} came");
        }
    }

    private void Report(string queue, (string Sender, int Number) message, string what) =>
        _violations.Add($"{queue} {message.Sender}/{message.Number} {what}".TrimStart());

    private sealed record Sender(bool Transactional)
    {
        public HashSet<int> Acknowledged { get; } = [];

        public int Begun { get; set; }
    }
}
