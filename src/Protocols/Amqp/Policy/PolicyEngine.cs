namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>
/// Lets connections in by the rules, and counts those that are there and those that were denied. Any thread; the rules
/// may be replaced while connections stand: those keep what they came in by.
/// </summary>
public sealed class PolicyEngine(PolicyRules rules)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, VhostCounts> _vhosts = new(StringComparer.Ordinal);
    private volatile PolicyRules _rules = rules;
    private long _processed;
    private long _denied;
    private long _current;
    private long _linksDenied;
    private long _messagesDenied;
    private long _sessionsDenied;

    /// <summary>The rules that count now.</summary>
    public PolicyRules Rules => _rules;

    /// <summary>From now on these count.</summary>
    public void Replace(PolicyRules rules) => _rules = rules;

    /// <summary>A connection asks to be let in. Null: it is denied, and <paramref name="denial"/> says why. It is given
    /// back once, at its end.</summary>
    public ConnectionPolicy? Open(in PolicyRequest request, out string? denial)
    {
        PolicyRules current = _rules;
        PolicyFinding finding = current.IsEnabled ? current.Find(request) : default;
        lock (_gate)
        {
            _processed++;
            denial = finding.Denial ?? (_current >= current.MaxConnections && !request.IsByNode
                ? $"there are {_current} connections" : DenialByCount(finding, request));
            if (denial is not null)
            {
                _denied++;
                if (finding.Vhost is { } vhost)
                {
                    CountsOf(vhost).Denied++;
                }

                return null;
            }

            _current++;
            if (finding.Vhost is { } entered)
            {
                CountsOf(entered).Enter(request);
            }
        }

        return new ConnectionPolicy(this, finding, request, LimitOf(current, finding));
    }

    /// <summary>Numbers at this moment.</summary>
    public PolicyFacts Describe()
    {
        PolicyRules current = _rules;
        lock (_gate)
        {
            return new PolicyFacts
            {
                Rules = current,
                ConnectionsProcessed = _processed,
                ConnectionsDenied = _denied,
                ConnectionsCurrent = _current,
                LinksDenied = _linksDenied,
                MessagesDenied = _messagesDenied,
                TotalDenials = _denied + _linksDenied + _messagesDenied + _sessionsDenied,
                Vhosts = [.. current.Vhosts.Select(vhost => CountsOf(vhost).Describe(vhost.Hostname))],
            };
        }
    }

    internal void Close(ConnectionPolicy policy)
    {
        lock (_gate)
        {
            _current--;
            if (policy.Vhost is { } vhost)
            {
                CountsOf(vhost).Leave(policy.Request);
            }
        }
    }

    internal void CountSession(ConnectionPolicy policy)
    {
        lock (_gate)
        {
            _sessionsDenied++;
            CountsOf(policy.Vhost!).SessionsDenied++;
        }
    }

    internal void CountLink(ConnectionPolicy policy, bool isSender)
    {
        lock (_gate)
        {
            _linksDenied++;
            if (policy.Vhost is not { } vhost)
            {
                return;
            }

            VhostCounts counts = CountsOf(vhost);
            counts.SendersDenied += isSender ? 1 : 0;
            counts.ReceiversDenied += isSender ? 0 : 1;
        }
    }

    internal void CountMessage(ConnectionPolicy policy)
    {
        lock (_gate)
        {
            _messagesDenied++;
            if (policy.Vhost is { } vhost)
            {
                CountsOf(vhost).MessagesDenied++;
            }
        }
    }

    private static long? LimitOf(PolicyRules rules, in PolicyFinding finding)
    {
        long limit = finding.Group?.MaxMessageBytes ?? finding.Vhost?.MaxMessageBytes ?? rules.MaxMessageBytes;
        return limit > 0 ? limit : null;
    }

    // Under the lock.
    private string? DenialByCount(in PolicyFinding finding, in PolicyRequest request)
    {
        if (finding.Vhost is not { } vhost || request.IsByNode)
        {
            return null;
        }

        VhostCounts counts = CountsOf(vhost);
        int perUser = finding.Group!.MaxConnectionsPerUser ?? vhost.MaxConnectionsPerUser;
        int perHost = finding.Group.MaxConnectionsPerHost ?? vhost.MaxConnectionsPerHost;
        return counts.Current >= vhost.MaxConnections ? $"'{vhost.Hostname}' has {counts.Current} connections"
            : counts.OfUser(request.User) >= perUser ? $"the user '{request.User}' has {perUser} connections"
            : counts.OfHost(request.RemoteHost) >= perHost ? $"'{request.RemoteHost}' has {perHost} connections"
            : null;
    }

    private VhostCounts CountsOf(VhostPolicy vhost)
    {
        if (!_vhosts.TryGetValue(vhost.Hostname, out VhostCounts? counts))
        {
            _vhosts.Add(vhost.Hostname, counts = new VhostCounts());
        }

        return counts;
    }
}

/// <summary>The numbers of one virtual host. Under the engine's lock.</summary>
internal sealed class VhostCounts
{
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _hosts = new(StringComparer.Ordinal);

    public long Approved { get; private set; }

    public long Denied { get; set; }

    public long Current { get; private set; }

    public long SessionsDenied { get; set; }

    public long SendersDenied { get; set; }

    public long ReceiversDenied { get; set; }

    public long MessagesDenied { get; set; }

    public int OfUser(string user) => _users.GetValueOrDefault(user);

    public int OfHost(string host) => _hosts.GetValueOrDefault(host);

    public void Enter(in PolicyRequest request)
    {
        Approved++;
        Current++;
        _users[request.User] = OfUser(request.User) + 1;
        _hosts[request.RemoteHost] = OfHost(request.RemoteHost) + 1;
    }

    public void Leave(in PolicyRequest request)
    {
        Current--;
        Take(_users, request.User);
        Take(_hosts, request.RemoteHost);
    }

    public VhostFacts Describe(string hostname) => new()
    {
        Hostname = hostname,
        Approved = Approved,
        Denied = Denied,
        Current = Current,
        SessionsDenied = SessionsDenied,
        SendersDenied = SendersDenied,
        ReceiversDenied = ReceiversDenied,
        MessagesDenied = MessagesDenied,
        PerUser = new Dictionary<string, int>(_users),
        PerHost = new Dictionary<string, int>(_hosts),
    };

    private static void Take(Dictionary<string, int> counts, string key)
    {
        if (--counts[key] == 0)
        {
            counts.Remove(key);
        }
    }
}

/// <summary>What the policy has decided so far. Immutable.</summary>
public sealed record PolicyFacts
{
    public required PolicyRules Rules { get; init; }

    public long ConnectionsProcessed { get; init; }

    public long ConnectionsDenied { get; init; }

    public long ConnectionsCurrent { get; init; }

    public long LinksDenied { get; init; }

    /// <summary>Messages that were longer than they may be.</summary>
    public long MessagesDenied { get; init; }

    public long TotalDenials { get; init; }

    public IReadOnlyList<VhostFacts> Vhosts { get; init; } = [];
}

/// <summary>What the policy has decided so far for a virtual host. Immutable.</summary>
public sealed record VhostFacts
{
    public required string Hostname { get; init; }

    public long Approved { get; init; }

    public long Denied { get; init; }

    public long Current { get; init; }

    public long SessionsDenied { get; init; }

    public long SendersDenied { get; init; }

    public long ReceiversDenied { get; init; }

    public long MessagesDenied { get; init; }

    /// <summary>Connections by user.</summary>
    public IReadOnlyDictionary<string, int> PerUser { get; init; } = new Dictionary<string, int>();

    /// <summary>Connections by host.</summary>
    public IReadOnlyDictionary<string, int> PerHost { get; init; } = new Dictionary<string, int>();
}
