using System.Collections.Concurrent;

namespace Pillarbox.Broker.Routing;

/// <summary>
/// Values under address patterns, found by name. Matching costs grow with the words of the name and the wildcards that
/// apply to it, not with the number of patterns; it takes no lock and allocates nothing once its scratch has grown.
/// Adding and removing cost the words of the pattern (removing also the values that share the very same pattern).
/// Any thread may call anything; each change is seen whole, and a match under way sees it or does not.
/// </summary>
public sealed class WildcardTree<T>
    where T : notnull
{
    private static readonly IEqualityComparer<string> WordComparer = StringComparer.Ordinal;

    [ThreadStatic]
    private static Scratch? _threadScratch;

    // Rare: patterns change when queues, settings or permissions do.
    private readonly Lock _changes = new();
    private readonly Node _root = new(null, "");
    private readonly Stack<int> _freeSlots = new();
    private int _slots;
    private int _count;

    /// <summary>Values in the tree.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds a value under a pattern; the same value may be added under several patterns, and is then found
    /// once for each.</summary>
    public void Add(string pattern, T value)
    {
        string[] words = AddressPattern.Words(pattern);
        lock (_changes)
        {
            Node node = _root;
            foreach (string word in words)
            {
                node = Child(node, word);
            }

            node.Values = node.Values?.With(value) ?? new ValueList(value);
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>Removes a value from under a pattern; false when it is not there.</summary>
    public bool Remove(string pattern, T value)
    {
        string[] words = AddressPattern.Words(pattern);
        lock (_changes)
        {
            Node? node = Find(words);
            if (node?.Values is not { } values || !values.Without(value, out ValueList? remaining))
            {
                return false;
            }

            node.Values = remaining;
            Volatile.Write(ref _count, _count - 1);
            Prune(node);
            return true;
        }
    }

    /// <summary>
    /// Appends the values of all patterns that match the name to <paramref name="results"/> (not cleared first), in no
    /// particular order. Wildcard characters in the name are ordinary words.
    /// </summary>
    public void Match(ReadOnlySpan<char> name, List<T> results)
    {
        Scratch scratch = _threadScratch ??= new Scratch();
        List<Node> current = scratch.Current;
        List<Node> next = scratch.Next;
        scratch.Enter(_root, current);
        foreach (Range range in name.Split(AddressPattern.Delimiter))
        {
            ReadOnlySpan<char> word = name[range];
            int floating = scratch.Floating.Count;
            Step(scratch, current, current.Count, word, next);
            Step(scratch, scratch.Floating, floating, word, next);
            current.Clear();
            (current, next) = (next, current);
        }

        Collect(current, results);
        Collect(scratch.Floating, results);
        scratch.Reset();
    }

    /// <summary>
    /// From each node by the next word. A node is entered at most once per word: its parent is, and the nodes of
    /// <c>#</c>, which stay entered for the rest of the name, are entered once in all.
    /// </summary>
    private static void Step(Scratch scratch, List<Node> from, int count, ReadOnlySpan<char> word, List<Node> next)
    {
        for (int i = 0; i < count; i++)
        {
            Node node = from[i];
            if (node.Literal(word) is { } literal)
            {
                scratch.Enter(literal, next);
            }

            if (node.Single is { } single)
            {
                scratch.Enter(single, next);
            }
        }
    }

    private static void Collect(List<Node> nodes, List<T> results)
    {
        foreach (Node node in nodes)
        {
            if (node.Values is { } values)
            {
                values.AddTo(results);
            }
        }
    }

    private Node Child(Node parent, string word)
    {
        if (parent.Find(word) is { } found)
        {
            return found;
        }

        var child = new Node(parent, word);
        if (word == AddressPattern.AnyWords)
        {
            child.Slot = _freeSlots.TryPop(out int slot) ? slot : _slots++;
            parent.Any = child;
        }
        else if (word == AddressPattern.SingleWord)
        {
            parent.Single = child;
        }
        else
        {
            parent.AddLiteral(child);
        }

        return child;
    }

    private Node? Find(string[] words)
    {
        Node? node = _root;
        foreach (string word in words)
        {
            node = node?.Find(word);
        }

        return node;
    }

    private void Prune(Node node)
    {
        while (node.Parent is { } parent && node.IsBare)
        {
            if (node.Word == AddressPattern.AnyWords)
            {
                parent.Any = null;
                _freeSlots.Push(node.Slot);
            }
            else if (node.Word == AddressPattern.SingleWord)
            {
                parent.Single = null;
            }
            else
            {
                parent.RemoveLiteral(node);
            }

            node = parent;
        }
    }

    /// <summary>One word of patterns; written under the lock, read without.</summary>
    private sealed class Node(Node? parent, string word)
    {
        public readonly Node? Parent = parent;
        public readonly string Word = word;
        public volatile Node? Single;
        public volatile Node? Any;
        public volatile ValueList? Values;

        // Most nodes have one child, and a dictionary takes many times what a node does: null, a node, or a dictionary.
        private volatile object? _literals;

        /// <summary>For a node of <c>#</c>: its bit in <see cref="Scratch"/>.</summary>
        public int Slot = -1;

        public bool IsBare => Values is null && _literals is null && Single is null && Any is null;

        public Node? Find(string child) => child switch
        {
            AddressPattern.AnyWords => Any,
            AddressPattern.SingleWord => Single,
            _ => Literal(child),
        };

        /// <summary>The node of a word that is no wildcard.</summary>
        public Node? Literal(ReadOnlySpan<char> word) => _literals switch
        {
            Node one => word.SequenceEqual(one.Word) ? one : null,
            ConcurrentDictionary<string, Node> many =>
                many.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out Node? found) ? found : null,
            _ => null,
        };

        public void AddLiteral(Node child)
        {
            switch (_literals)
            {
                case null:
                    _literals = child;
                    break;
                case Node one:
                    // Seen whole: whoever looks finds the one, or both.
                    var both = new ConcurrentDictionary<string, Node>(1, 2, WordComparer);
                    both[one.Word] = one;
                    both[child.Word] = child;
                    _literals = both;
                    break;
                case ConcurrentDictionary<string, Node> many:
                    many[child.Word] = child;
                    break;
            }
        }

        public void RemoveLiteral(Node child)
        {
            if (_literals is not ConcurrentDictionary<string, Node> many)
            {
                _literals = null;
                return;
            }

            many.TryRemove(child.Word, out _);
            _literals = many.IsEmpty ? null : many;
        }
    }

    /// <summary>The values of one pattern: the first, and in an array those that follow. Immutable to readers: an
    /// append writes behind the end that they see.</summary>
    private sealed class ValueList(T first, T[]? more = null, int moreCount = 0)
    {
        public void AddTo(List<T> results)
        {
            results.Add(first);
            if (more is not null)
            {
                results.AddRange(more.AsSpan(0, moreCount));
            }
        }

        public ValueList With(T value)
        {
            T[] target = more ?? new T[1];
            if (moreCount == target.Length)
            {
                Array.Resize(ref target, moreCount * 2);
            }

            target[moreCount] = value;
            return new ValueList(first, target, moreCount + 1);
        }

        /// <summary>False: it is not there. <paramref name="remaining"/> is null when it was the only one.</summary>
        public bool Without(T value, out ValueList? remaining)
        {
            List<T> all = [];
            AddTo(all);
            bool isThere = all.Remove(value);
            remaining = all.Count == 0 ? null
                : all.Count == 1 ? new ValueList(all[0])
                : new ValueList(all[0], [.. all[1..]], all.Count - 1);
            return isThere;
        }
    }

    /// <summary>One thread's working memory.</summary>
    private sealed class Scratch
    {
        private ulong[] _entered = new ulong[4];

        public List<Node> Current { get; } = [];

        public List<Node> Next { get; } = [];

        /// <summary>Nodes of <c>#</c>: once entered they match whatever comes.</summary>
        public List<Node> Floating { get; } = [];

        public void Enter(Node node, List<Node> nodes)
        {
            nodes.Add(node);
            if (node.Any is not { } any)
            {
                return;
            }

            int index = any.Slot >> 6;
            ulong bit = 1UL << (any.Slot & 63);
            if (index >= _entered.Length)
            {
                Array.Resize(ref _entered, Math.Max(index + 1, _entered.Length * 2));
            }

            if ((_entered[index] & bit) == 0)
            {
                _entered[index] |= bit;
                Floating.Add(any);
            }
        }

        public void Reset()
        {
            foreach (Node node in Floating)
            {
                _entered[node.Slot >> 6] = 0;
            }

            Current.Clear();
            Next.Clear();
            Floating.Clear();
        }
    }
}
