using System.Collections.Concurrent;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>
/// Retained messages by the levels of their topics. One thread at a time changes it, any number reads meanwhile; a
/// reader sees a change that is made while it goes, or does not.
/// </summary>
internal sealed class RetainedTree
{
    private readonly Node _root = new(null, "");
    private int _count;
    private long _bytes;

    /// <summary>Messages in it.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of them, roughly.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Puts a message in the place of its topic's; returns the one that was there.</summary>
    public RetainedMessage? Set(RetainedMessage message)
    {
        Node node = _root;
        foreach (string level in message.Topic.Split('/'))
        {
            node = node.Child(level);
        }

        RetainedMessage? older = node.Message;
        node.Message = message;
        Tally(1, message.Bytes, older);
        return older;
    }

    /// <summary>The message of a topic; null: it has none.</summary>
    public RetainedMessage? Find(string topic) => NodeOf(topic)?.Message;

    /// <summary>Takes a topic's message away; returns it.</summary>
    public RetainedMessage? Remove(string topic)
    {
        Node? node = NodeOf(topic);
        if (node?.Message is not { } there)
        {
            return null;
        }

        node.Message = null;
        Tally(0, 0, there);
        Prune(node);
        return there;
    }

    /// <summary>Goes through those that a filter matches.</summary>
    public Cursor Match(ReadOnlySpan<byte> filter) => new(_root, Wire.TopicText.ToText(filter).Split('/'));

    private Node? NodeOf(string topic)
    {
        Node? node = _root;
        foreach (string level in topic.Split('/'))
        {
            node = node?.Find(level);
        }

        return node;
    }

    private void Tally(int added, int bytes, RetainedMessage? gone)
    {
        Volatile.Write(ref _count, _count + added - (gone is null ? 0 : 1));
        Volatile.Write(ref _bytes, _bytes + bytes - (gone?.Bytes ?? 0));
    }

    private static void Prune(Node node)
    {
        while (node.Parent is { } parent && node.IsBare)
        {
            parent.Forget(node);
            node = parent;
        }
    }

    /// <summary>One level of topics.</summary>
    internal sealed class Node(Node? parent, string level)
    {
        private volatile ConcurrentDictionary<string, Node>? _children;
        private volatile RetainedMessage? _message;

        public Node? Parent { get; } = parent;

        public string Level { get; } = level;

        public RetainedMessage? Message
        {
            get => _message;
            set => _message = value;
        }

        public IEnumerable<KeyValuePair<string, Node>> Children =>
            _children ?? (IEnumerable<KeyValuePair<string, Node>>)[];

        public bool IsBare => _message is null && _children is null;

        public Node? Find(string name) => _children?.GetValueOrDefault(name);

        public Node Child(string name)
        {
            ConcurrentDictionary<string, Node> children =
                _children ??= new ConcurrentDictionary<string, Node>(1, 3, StringComparer.Ordinal);
            if (!children.TryGetValue(name, out Node? child))
            {
                child = new Node(this, name);
                children[name] = child;
            }

            return child;
        }

        public void Forget(Node child)
        {
            _children!.TryRemove(child.Level, out _);
            if (_children.IsEmpty)
            {
                _children = null;
            }
        }
    }

    /// <summary>A walk that can be interrupted after any number of steps. Owned by one connection.</summary>
    internal sealed class Cursor
    {
        private readonly string[] _filter;
        private readonly Stack<Frame> _frames = new();

        public Cursor(Node root, string[] filter)
        {
            _filter = filter;
            Enter(root, 0);
        }

        /// <summary>Takes steps off <paramref name="steps"/> until it meets a message; null: at the end, or no steps
        /// are left (<see cref="AtEnd"/> tells which).</summary>
        public RetainedMessage? Next(ref int steps)
        {
            while (_frames.Count > 0 && steps-- > 0)
            {
                Frame frame = _frames.Peek();
                if (frame.Found is { } found)
                {
                    frame.Found = null;
                    return found;
                }

                if (frame.Children is null || !frame.Children.MoveNext())
                {
                    frame.Children?.Dispose();
                    _frames.Pop();
                    continue;
                }

                (string level, Node child) = frame.Children.Current;
                // A wildcard at the first level does not match what begins with $ (§4.7.2).
                if (!frame.IsFirstLevel || !level.StartsWith('$'))
                {
                    Enter(child, frame.IsTail ? frame.Depth : frame.Depth + 1);
                }
            }

            return null;
        }

        public bool AtEnd => _frames.Count == 0;

        private void Enter(Node node, int depth)
        {
            if (depth == _filter.Length)
            {
                _frames.Push(new Frame { Found = node.Message });
                return;
            }

            switch (_filter[depth])
            {
                case "#":
                    // Its own parent is matched, and everything below.
                    _frames.Push(new Frame
                    {
                        Found = node.Message,
                        Children = node.Children.GetEnumerator(),
                        Depth = depth,
                        IsTail = true,
                        IsFirstLevel = node.Parent is null,
                    });
                    break;
                case "+":
                    _frames.Push(new Frame
                    {
                        Children = node.Children.GetEnumerator(),
                        Depth = depth,
                        IsFirstLevel = node.Parent is null,
                    });
                    break;
                default:
                    if (node.Find(_filter[depth]) is { } child)
                    {
                        Enter(child, depth + 1);
                    }

                    break;
            }
        }

        private sealed class Frame
        {
            public RetainedMessage? Found { get; set; }

            public IEnumerator<KeyValuePair<string, Node>>? Children { get; init; }

            /// <summary>The level of the filter that stands for the children.</summary>
            public int Depth { get; init; }

            /// <summary>The children are the first levels of topics.</summary>
            public bool IsFirstLevel { get; init; }

            /// <summary>Everything below is matched.</summary>
            public bool IsTail { get; init; }
        }
    }
}
