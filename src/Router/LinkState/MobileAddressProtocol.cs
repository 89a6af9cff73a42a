using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>
/// Keeps the addresses of all routers: tells others what changed here (MAU), asks those whose number is ahead of what
/// is known (MAR), and answers with all there is. Owned by the engine.
/// </summary>
internal sealed class MobileAddressProtocol
{
    /// <summary>An advertised number is asked for after so long: mostly the update itself comes meanwhile.</summary>
    private const int AskDelayMs = 100;

    /// <summary>Between two answers of the same addresses to one router.</summary>
    private const int AnswerSpacingMs = 250;

    private readonly RouterOptions _options;
    private readonly RouterTable _table;
    private readonly ControlRouting _routing;
    private readonly ControlOutbox _outbox;
    private readonly LocalAddresses _local = new();
    private readonly RemoteAddresses _remote = new();
    private long _updateMs = long.MaxValue;
    private long _updatedMs = long.MinValue / 2;

    public MobileAddressProtocol(
        RouterOptions options, RouterTable table, ControlRouting routing, ControlOutbox outbox)
    {
        (_options, _table, _routing, _outbox) = (options, table, routing, outbox);
        table.ForgetAddresses = _remote.RemoveAll;
    }

    /// <summary>Number of this router's addresses as told to others.</summary>
    public long OwnSeq => _local.Seq;

    public RemoteAddresses Remote => _remote;

    /// <summary>When <see cref="Announce"/> has something to do.</summary>
    public long DueMs => _updateMs;

    public void AddLocal(string key, AddressTreatment treatment, long nowMs)
    {
        _local.Add(key, treatment);
        Schedule(nowMs);
    }

    public void RemoveLocal(string key, long nowMs)
    {
        _local.Remove(key);
        Schedule(nowMs);
    }

    /// <summary>Sends an update when it is time. True: this router's number changed.</summary>
    public bool Announce(long nowMs)
    {
        if (nowMs < _updateMs)
        {
            return false;
        }
        _updateMs = long.MaxValue;
        if (_local.TakeUpdate(_options.Id) is not { } update)
        {
            return false;
        }
        _updatedMs = nowMs;
        _routing.Multicast(ControlService.MobileAddress, update with { Instance = _options.Instance });
        return true;
    }

    /// <summary>Asks those routers whose addresses are wanted and that can be reached.</summary>
    public void Ask(long nowMs)
    {
        foreach (RouterNode node in _table.Nodes)
        {
            if (node.AddressRequest.DueMs > nowMs)
            {
                continue;
            }
            if (!node.AddressesDoubtful && node.MobileSeq >= node.Advertised.MobileSeq)
            {
                node.AddressRequest.Answered();
                continue;
            }
            if (node.Advertised.MobileSeq == 0)
            {
                ForgetDoubtful(node);
                continue;
            }
            long have = node.AddressesDoubtful ? 0 : node.MobileSeq;
            var request = new MobileAddressRequest(_options.Id, have);
            if (_routing.Ask(node, ControlService.MobileAddress, request, node.AddressRequest.Repetition))
            {
                node.AddressRequest.Asked(nowMs);
            }
        }
    }

    /// <summary>A router advertised the number of its addresses.</summary>
    public static void OnAdvertised(RouterNode node, long seq, long nowMs)
    {
        // Ahead of what it advertises can only be an update that has overtaken the advertisement, or a wrong one.
        node.AddressesDoubtful = seq < node.MobileSeq && seq != node.MobileSeqRefused;
        if ((seq > node.MobileSeq || node.AddressesDoubtful) && seq != node.MobileSeqRefused)
        {
            node.AddressRequest.Want(nowMs + AskDelayMs);
        }
        else
        {
            node.AddressRequest.Answered();
        }
    }

    public void OnRequest(MobileAddressRequest request, int fromLink, long nowMs)
    {
        if (!_table.TryGet(request.Id, out RouterNode? node) || request.HaveSeq >= OwnSeq)
        {
            return;
        }
        (long toldMs, long toldSeq) = node.AddressesTold;
        if (toldSeq == OwnSeq && nowMs - toldMs < AnswerSpacingMs)
        {
            return;
        }
        node.AddressesTold = (nowMs, OwnSeq);
        MobileAddressUpdate all = _local.All(_options.Id) with { Instance = _options.Instance };
        _routing.SendTo(request.Id, ControlService.MobileAddress, all, fromLink);
    }

    public void OnUpdate(MobileAddressUpdate update, long nowMs)
    {
        if (!_table.TryGet(update.Id, out RouterNode? node) || IsOfAnotherStart(node, update)
            || IsStray(node, update))
        {
            return;
        }
        if (!update.IsAbsolute && update.MobileSeq != node.MobileSeq + 1)
        {
            OnGap(node, update, nowMs);
            return;
        }
        if (update.IsAbsolute && update.MobileSeq < node.MobileSeq && !node.AddressesDoubtful)
        {
            return;
        }
        if (!Apply(node, update))
        {
            _outbox.Say(RouterEventKind.TooManyAddresses, node.Id);
            node.MobileSeqRefused = update.MobileSeq;
            node.AddressRequest.Answered();
            return;
        }
        node.MobileSeq = update.MobileSeq;
        node.AddressesDoubtful = false;
        node.MobileSeqRefused = -1;
        if (update.MobileSeq >= node.Advertised.MobileSeq)
        {
            node.AddressRequest.Answered();
        }
    }

    // It says that it never had any: what is known of it is of a start that is over, and there is nothing to ask for.
    private void ForgetDoubtful(RouterNode node)
    {
        _remote.RemoveAll(node, false);
        node.MobileSeq = 0;
        node.AddressesDoubtful = false;
        node.AddressRequest.Answered();
    }

    // A node of this kind says of which start its addresses are: one that was held up may have the number that the
    // router's next start is at, and would be taken for its.
    private static bool IsOfAnotherStart(RouterNode node, MobileAddressUpdate update) =>
        update.Instance != 0 && node.Instance is { } known && known != update.Instance;

    // All the addresses come as an answer, or with a number that the router has advertised. Else they may be those of a
    // start that is over: an update of the protocol's peers does not say of which start it is, and one may be held up
    // for long.
    private static bool IsStray(RouterNode node, MobileAddressUpdate update) => update.IsAbsolute
        && node.AddressRequest.Repetition == 0 && update.MobileSeq > node.Advertised.MobileSeq;

    // One that was seen already is dropped; one too far ahead is asked for, once.
    private static void OnGap(RouterNode node, MobileAddressUpdate update, long nowMs)
    {
        if (update.MobileSeq > node.MobileSeq && node.MobileSeqRefused < 0)
        {
            node.Advertised = node.Advertised with
            {
                MobileSeq = Math.Max(node.Advertised.MobileSeq, update.MobileSeq),
            };
            node.AddressRequest.Want(nowMs);
        }
    }

    private bool Apply(RouterNode node, MobileAddressUpdate update)
    {
        ImmutableArray<AddressHint> added = [.. update.Added.Where(a => AddressKey.IsMobile(a.Key))];
        return update.IsAbsolute
            ? _remote.TryReplace(node, added)
            : _remote.TryChange(node, added, update.Deleted);
    }

    private void Schedule(long nowMs)
    {
        if (_local.HasChanges && _updateMs == long.MaxValue)
        {
            _updateMs = Math.Max(nowMs + _options.MobileGatherMs, _updatedMs + _options.MobileIntervalMs);
        }
    }
}
