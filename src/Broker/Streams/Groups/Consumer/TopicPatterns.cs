using System.Text.RegularExpressions;

namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>
/// Regular expressions over topic names, and what they find for whom. A name is matched once by each expression, when
/// it is new, and is judged once for each user and his permissions. Expressions run without backtracking (linear in the
/// name), over automata of bounded size, and no longer than <see cref="MatchTimeout"/> at once: what is not looked at
/// by then is looked at the next time. One owner: the loop.
/// </summary>
internal sealed class TopicPatterns(ITopicView topics, TimeProvider time)
{
    /// <summary>For one name, and for all that are new.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, Pattern> _patterns = [];
    private readonly Dictionary<(string Pattern, ITopicAccess Access), View> _views = [];

    // Names in the order in which they were first seen; those that went stay in it until it is made anew.
    private List<string> _log = [];
    private HashSet<string> _known = [];
    private int _logNumber;
    private long _version = -1;

    public int Count => _patterns.Count;

    public int ViewCount => _views.Count;

    public bool Has(string pattern) => _patterns.ContainsKey(pattern);

    /// <summary>Takes in a pattern that can be used; null, or a sentence for the user.</summary>
    public string? Add(string pattern)
    {
        Pattern added;
        try
        {
            // By itself first: a bracket too many must not end the one around it.
            _ = Compile(pattern);
            added = new Pattern(Compile($@"\A(?:{pattern})\z"));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"the regular expression cannot be used: {e.Message}";
        }

        Refresh();
        if (!Match(added))
        {
            return "the regular expression takes too long";
        }

        _patterns[pattern] = added;
        return null;
    }

    /// <summary>The names of topics that a pattern finds and that somebody may know of. Some may be gone by now.
    /// </summary>
    public IReadOnlyList<string> Find(string pattern, ITopicAccess access)
    {
        Refresh();
        if (!_patterns.TryGetValue(pattern, out Pattern? found))
        {
            if (Add(pattern) is not null)
            {
                return [];
            }

            found = _patterns[pattern];
        }

        Match(found);
        if (!_views.TryGetValue((pattern, access), out View? view))
        {
            _views.Add((pattern, access), view = new View());
        }

        view.Judge(found, access);
        return view.Names;
    }

    /// <summary>Forgets what no member uses.</summary>
    public void Keep(IEnumerable<ConsumerMember> members)
    {
        HashSet<string> patterns = [];
        HashSet<(string, ITopicAccess)> views = [];
        foreach (ConsumerMember member in members)
        {
            if (member.Regex is { } pattern)
            {
                patterns.Add(pattern);
                views.Add((pattern, member.Access ?? EveryTopic.Instance));
            }
        }

        foreach (string pattern in _patterns.Keys.Where(p => !patterns.Contains(p)).ToArray())
        {
            _patterns.Remove(pattern);
        }

        foreach (var view in _views.Keys.Where(v => !views.Contains(v)).ToArray())
        {
            _views.Remove(view);
        }
    }

    // The time is for input that the engine is slow with; its automaton has a size of its own.
    private static Regex Compile(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);

    // A version is read first: what is made meanwhile is found with the next one.
    private void Refresh()
    {
        long version = topics.Version;
        if (version == _version)
        {
            return;
        }

        _version = version;
        HashSet<string> now = [.. topics.Names];
        foreach (string name in now)
        {
            if (!_known.Contains(name))
            {
                _log.Add(name);
            }
        }

        _known = now;
        if (_log.Count > 64 + (2 * now.Count))
        {
            _log = [.. now];
            _logNumber++;
        }
    }

    // False: not all that is new could be looked at.
    private bool Match(Pattern pattern)
    {
        if (pattern.LogNumber != _logNumber)
        {
            pattern.Begin(_logNumber);
        }

        long begunAt = time.GetTimestamp();
        while (pattern.Looked < _log.Count)
        {
            string name = _log[pattern.Looked];
            try
            {
                if (pattern.Regex.IsMatch(name))
                {
                    pattern.Names.Add(name);
                }
            }
            catch (RegexMatchTimeoutException)
            {
                return false;
            }

            pattern.Looked++;
            if (time.GetElapsedTime(begunAt) > MatchTimeout)
            {
                return pattern.Looked == _log.Count;
            }
        }

        return true;
    }

    private sealed class Pattern(Regex regex)
    {
        public Regex Regex => regex;

        public List<string> Names { get; private set; } = [];

        public int Looked { get; set; }

        public int LogNumber { get; private set; }

        public void Begin(int logNumber) => (Names, Looked, LogNumber) = ([], 0, logNumber);
    }

    // What a pattern finds, for one user.
    private sealed class View
    {
        private IReadOnlyList<string>? _source;
        private object? _rules;
        private int _judged;

        public List<string> Names { get; private set; } = [];

        public void Judge(Pattern pattern, ITopicAccess access)
        {
            object rules = access.Rules;
            if (!ReferenceEquals(_source, pattern.Names) || !ReferenceEquals(_rules, rules))
            {
                (_source, _rules, _judged, Names) = (pattern.Names, rules, 0, []);
            }

            for (; _judged < pattern.Names.Count; _judged++)
            {
                if (access.MaySee(pattern.Names[_judged]))
                {
                    Names.Add(pattern.Names[_judged]);
                }
            }
        }
    }
}
