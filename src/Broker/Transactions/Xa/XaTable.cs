namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// All branches of the node, and what operators decided about branches that are over. Thread-safe: branches are begun
/// on one connection and may be ended on another.
/// </summary>
internal sealed class XaTable
{
    /// <summary>Branches at once.</summary>
    private const int BranchesMax = 10_000;

    /// <summary>Bytes of all prepared branches, which are kept in memory.</summary>
    private const long PreparedBytesMax = 256L << 20;

    /// <summary>Heuristic decisions that are remembered.</summary>
    private const int HeuristicsMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Xid, XaBranch> _branches = [];
    private readonly Dictionary<Xid, XaHeuristic> _heuristics = [];

    // Their owners have heard that they took too long, and have not rolled them back yet.
    private readonly List<XaBranch> _toRollBack = [];
    private int _heuristicsUnderWay;
    private long _preparedBytes;

    /// <summary>Whether there are branches. Any thread.</summary>
    public bool HasBranches
    {
        get
        {
            lock (_lock)
            {
                return _branches.Count > 0;
            }
        }
    }

    /// <summary>Begins a branch, or goes on with one of the same connection.</summary>
    public XaBranch Start(BrokerClient client, Xid xid, XaOwner owner, long nowMs, Func<Transaction> begin)
    {
        lock (_lock)
        {
            if (_branches.TryGetValue(xid, out XaBranch? there))
            {
                if (there.Client != client || there.State is not (XaState.Active or XaState.Idle))
                {
                    throw new XaException(XaCode.Duplicate, $"the branch {xid} exists already");
                }

                there.State = XaState.Active;
                return there;
            }

            if (_heuristics.ContainsKey(xid))
            {
                throw new XaException(XaCode.Duplicate, $"the branch {xid} was ended by an operator");
            }

            if (_branches.Count >= BranchesMax)
            {
                throw new XaException(XaCode.ResourceError, $"there are {BranchesMax} branches already");
            }

            var branch = new XaBranch(xid, begin(), owner, nowMs) { Client = client };
            branch.Transaction.Branch = branch;
            _branches[xid] = branch;
            return branch;
        }
    }

    /// <summary>The branch of a connection, for work in it. Errors: NOTA, PROTO, RBTIMEOUT.</summary>
    public XaBranch FindOwn(BrokerClient client, Xid xid)
    {
        lock (_lock)
        {
            XaBranch branch = _branches.GetValueOrDefault(xid) ?? throw Unknown(xid);
            return branch.Client != client
                ? throw new XaException(XaCode.Protocol, $"the branch {xid} is not this connection's to work in")
                : branch.State == XaState.TimedOut ? throw TimedOut(branch) : branch;
        }
    }

    /// <summary>Work in it has ended.</summary>
    public void End(BrokerClient client, Xid xid)
    {
        XaBranch branch = FindOwn(client, xid);
        lock (_lock)
        {
            branch.State = branch.State == XaState.Active ? XaState.Idle : branch.State;
        }
    }

    /// <summary>The branch that is to be prepared, or ended in one phase. Errors: NOTA, PROTO, RBTIMEOUT.</summary>
    public XaBranch FindIdle(BrokerClient client, Xid xid)
    {
        XaBranch branch = FindOwn(client, xid);
        return branch.State == XaState.Idle
            ? branch
            : throw new XaException(XaCode.Protocol, $"the branch {xid} is {NameOf(branch.State)}");
    }

    /// <summary>What has to be on disk before it is prepared is on its way: nothing else is done with it.</summary>
    public void BeginPrepare(XaBranch branch)
    {
        lock (_lock)
        {
            branch.State = XaState.Preparing;
        }
    }

    /// <summary>Whether a branch has not gone with its client.</summary>
    public bool IsThere(XaBranch branch)
    {
        lock (_lock)
        {
            return _branches.GetValueOrDefault(branch.Xid) == branch;
        }
    }

    /// <summary>Whether there is a branch of that id.</summary>
    public bool IsThere(Xid xid)
    {
        lock (_lock)
        {
            return _branches.ContainsKey(xid);
        }
    }

    /// <summary>It is to be written to the journal. False: there is no room for so much.</summary>
    public bool TryBeginWrite(XaBranch branch)
    {
        lock (_lock)
        {
            if (_preparedBytes + branch.Bytes > PreparedBytesMax)
            {
                return false;
            }

            _preparedBytes += branch.Bytes;
            branch.State = XaState.Preparing;
            return true;
        }
    }

    /// <summary>It is in the journal: from now on it is nobody's but the transaction manager's, who may end it on any
    /// connection.</summary>
    public void EndWrite(XaBranch branch)
    {
        lock (_lock)
        {
            branch.State = XaState.Prepared;
            branch.Client = null;
        }
    }

    /// <summary>The journal did not take it.</summary>
    public void UndoWrite(XaBranch branch)
    {
        lock (_lock)
        {
            _preparedBytes -= branch.Bytes;
            branch.State = XaState.Idle;
        }
    }

    /// <summary>Whether the branch is prepared; false: it is a connection's. Errors: NOTA, HEURCOM, HEURRB.</summary>
    public bool IsPrepared(Xid xid, XaOwner who)
    {
        lock (_lock)
        {
            return Find(xid, who).State is XaState.Prepared or XaState.Ending;
        }
    }

    /// <summary>Takes a prepared branch to end it. Null as <paramref name="who"/>: an operator. Errors: NOTA, PROTO,
    /// HEURCOM, HEURRB; RMERR when so many decisions of operators are remembered that there is no room for another.
    /// </summary>
    public XaBranch Take(Xid xid, XaOwner? who)
    {
        lock (_lock)
        {
            XaBranch branch = Find(xid, who);
            if (branch.State != XaState.Prepared)
            {
                throw new XaException(XaCode.Protocol, $"the branch {xid} is {NameOf(branch.State)}");
            }

            if (who is null)
            {
                if (_heuristics.Count + _heuristicsUnderWay >= HeuristicsMax)
                {
                    throw new XaException(
                        XaCode.ResourceError,
                        $"{HeuristicsMax} decisions of operators are remembered: forget some first");
                }

                _heuristicsUnderWay++;
            }

            branch.State = XaState.Ending;
            branch.IsHeuristic = who is null;
            return branch;
        }
    }

    /// <summary>It could not be ended: it is as it was.</summary>
    public void PutBack(XaBranch branch)
    {
        lock (_lock)
        {
            _heuristicsUnderWay -= branch.IsHeuristic ? 1 : 0;
            branch.State = XaState.Prepared;
            branch.IsHeuristic = false;
        }
    }

    /// <summary>It is over.</summary>
    public void Remove(XaBranch branch, bool isCommit, long nowMs)
    {
        lock (_lock)
        {
            if (!_branches.Remove(branch.Xid))
            {
                return;
            }

            _preparedBytes -= branch.Client is null ? branch.Bytes : 0;
            if (branch.IsHeuristic)
            {
                _heuristicsUnderWay--;
                _heuristics[branch.Xid] = new XaHeuristic(branch.Xid, isCommit, nowMs, branch.Owner);
            }
        }
    }

    /// <summary>What a transaction manager has to decide, or to forget: prepared and heuristically ended
    /// branches.</summary>
    public IReadOnlyList<Xid> Recover(XaOwner who)
    {
        lock (_lock)
        {
            return
            [
                .. _branches.Values.Where(b => b.State is XaState.Prepared or XaState.Ending && who.MayEnd(b))
                    .Select(b => b.Xid),
                .. _heuristics.Values.Where(h => h.Owner.Space == who.Space && h.Owner.User == who.User)
                    .Select(h => h.Xid),
            ];
        }
    }

    /// <summary>An operator's decision, which is to be forgotten. Null as <paramref name="who"/>: an operator. Errors:
    /// NOTA, PROTO.</summary>
    public XaHeuristic FindHeuristic(Xid xid, XaOwner? who)
    {
        lock (_lock)
        {
            if (_heuristics.TryGetValue(xid, out XaHeuristic? found)
                && (who is null || (found.Owner.Space == who.Space && found.Owner.User == who.User)))
            {
                return found;
            }

            throw _branches.ContainsKey(xid)
                ? new XaException(XaCode.Protocol, $"the branch {xid} was not ended by an operator")
                : Unknown(xid);
        }
    }

    public void Forget(Xid xid)
    {
        lock (_lock)
        {
            _heuristics.Remove(xid);
        }
    }

    /// <summary>Branches that were not prepared in time: their owners are to roll them back.</summary>
    public IReadOnlyList<BrokerClient> MarkTimedOut(long startedBeforeMs)
    {
        lock (_lock)
        {
            var owners = new List<BrokerClient>();
            foreach (XaBranch branch in _branches.Values)
            {
                if (branch.State is XaState.Active or XaState.Idle && branch.StartedAtMs < startedBeforeMs)
                {
                    branch.State = XaState.TimedOut;
                    owners.Add(branch.Client!);
                }
            }

            return owners;
        }
    }

    /// <summary>Those of a connection, also those that it has heard of already.</summary>
    public IReadOnlyList<XaBranch> TimedOutOf(BrokerClient client)
    {
        lock (_lock)
        {
            XaBranch[] found =
            [
                .. _branches.Values.Where(b => b.State == XaState.TimedOut && b.Client == client),
                .. _toRollBack.Where(b => b.Client == client),
            ];
            _toRollBack.RemoveAll(b => b.Client == client);
            return found;
        }
    }

    /// <summary>A connection has gone; what it had prepared is no longer its own.</summary>
    public void RemoveOf(BrokerClient client)
    {
        lock (_lock)
        {
            foreach (XaBranch branch in _branches.Values.Where(b => b.Client == client).ToArray())
            {
                _branches.Remove(branch.Xid);
            }

            _toRollBack.RemoveAll(b => b.Client == client);
        }
    }

    /// <summary>What is on disk: for snapshots and views.</summary>
    public (IReadOnlyList<XaBranch> Prepared, IReadOnlyList<XaHeuristic> Heuristics) Durable()
    {
        lock (_lock)
        {
            return ([.. _branches.Values.Where(b => b.Client is null)], [.. _heuristics.Values]);
        }
    }

    /// <summary>Takes back a branch that the disk holds; before anybody works.</summary>
    public void Recover(XaBranch branch)
    {
        branch.State = XaState.Prepared;
        _branches[branch.Xid] = branch;
        _preparedBytes += branch.Bytes;
    }

    public void Recover(XaHeuristic heuristic) => _heuristics[heuristic.Xid] = heuristic;

    private static XaException Unknown(Xid xid) => new(XaCode.Unknown, $"there is no branch {xid}");

    // Its owner hears of it once; then the branch is gone.
    private XaException TimedOut(XaBranch branch)
    {
        _branches.Remove(branch.Xid);
        if (!branch.Transaction.IsEnded)
        {
            _toRollBack.Add(branch);
        }

        return new XaException(
            XaCode.RolledBackByTimeout, $"the branch {branch.Xid} took too long and was rolled back");
    }

    private XaBranch Find(Xid xid, XaOwner? who)
    {
        if (_branches.TryGetValue(xid, out XaBranch? branch) && (who is null || who.MayEnd(branch)))
        {
            return branch;
        }

        throw _heuristics.TryGetValue(xid, out XaHeuristic? decided)
            ? new XaException(
                decided.IsCommit ? XaCode.HeuristicCommit : XaCode.HeuristicRollback,
                $"the branch {xid} was ended by an operator")
            : Unknown(xid);
    }

    private static string NameOf(XaState state) => state switch
    {
        XaState.Active => "at work",
        XaState.Idle => "not prepared",
        XaState.Preparing => "being prepared",
        XaState.Prepared => "prepared",
        XaState.Ending => "being ended",
        _ => "timed out",
    };
}
