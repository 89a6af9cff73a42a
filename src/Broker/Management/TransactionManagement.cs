using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Management;

/// <summary>A branch of a distributed transaction that is on disk.</summary>
/// <param name="Xid">Its name, as <see cref="Transactions.Xa.Xid.ToString"/> writes it.</param>
/// <param name="State"><c>prepared</c> (in doubt), <c>ending</c>, <c>heuristicCommit</c> or
/// <c>heuristicRollback</c>.</param>
/// <param name="AddressSpace">Its address space.</param>
/// <param name="User">The user that began it.</param>
/// <param name="ClientId">The client that began it.</param>
/// <param name="SinceMs">When it began, or was ended by an operator; milliseconds since the Unix epoch.</param>
/// <param name="Messages">Durable messages, and records of streams, in it.</param>
/// <param name="Acknowledgements">Acknowledgements of durable messages in it.</param>
public sealed record TransactionView(
    string Xid, string State, string AddressSpace, string User, string ClientId, long SinceMs, int Messages,
    int Acknowledgements);

/// <summary>
/// What an operator sees and does of distributed transactions: branches in doubt, and decisions that are remembered
/// until the transaction manager, or the operator, forgets them. Any thread; refusals are <see
/// cref="BrokerException"/>.
/// </summary>
public sealed class TransactionManagement
{
    private readonly MessageBroker _broker;
    private readonly BrokerServices _services;

    internal TransactionManagement(MessageBroker broker, BrokerServices services)
    {
        _broker = broker;
        _services = services;
    }

    /// <summary>Every branch that is on disk, by name. Errors: Unauthorized.</summary>
    public IReadOnlyList<TransactionView> List(Identity who)
    {
        Authorize(who, Permission.View);
        (IReadOnlyList<XaBranch> prepared, IReadOnlyList<XaHeuristic> heuristics) = _services.Xa.Durable();
        return
        [
            .. prepared.Select(ViewOf).Concat(heuristics.Select(ViewOf))
                .Where(view => who.AddressSpace is null || who.AddressSpace == view.AddressSpace)
                .OrderBy(view => view.Xid, StringComparer.Ordinal),
        ];
    }

    /// <summary>Commits a branch in doubt; on disk when it completes. Errors: NotFound, PreconditionFailed,
    /// Unauthorized, Unavailable.</summary>
    public Task CommitAsync(Identity who, string xid) => DoAsync(who, xid, (steps, x) => steps.EndByOperator(x, true));

    /// <summary>Rolls a branch in doubt back. Errors as above.</summary>
    public Task RollbackAsync(Identity who, string xid) =>
        DoAsync(who, xid, (steps, x) => steps.EndByOperator(x, false));

    /// <summary>Forgets a decision. Errors as above.</summary>
    public Task ForgetAsync(Identity who, string xid) => DoAsync(who, xid, (steps, x) => steps.ForgetByOperator(x));

    private static TransactionView ViewOf(XaBranch branch)
    {
        var from = new Journal.FieldReader(branch.Record);
        PreparedRecord? record = XaRecords.ReadPrepared(ref from);
        string state = branch.State == XaState.Prepared ? "prepared" : "ending";
        return new TransactionView(
            branch.Xid.ToString(), state, branch.Owner.Space, branch.Owner.User, branch.Owner.ClientId,
            branch.StartedAtMs, (record?.Messages.Count ?? 0) + (record?.Batches.Sum(RecordsOf) ?? 0),
            record?.Settlements.Count ?? 0);
    }

    private static int RecordsOf(HeldBatch held) =>
        RecordBatch.TryReadHeader(held.Batch, out RecordBatch batch) == RecordBatchFault.None ? batch.Count : 0;

    private static TransactionView ViewOf(XaHeuristic decided) => new(
        decided.Xid.ToString(), decided.IsCommit ? "heuristicCommit" : "heuristicRollback", decided.Owner.Space,
        decided.Owner.User, decided.Owner.ClientId, decided.AtMs, 0, 0);

    // The operator is a client for the time of one step, which ends when it is on disk.
    private async Task DoAsync(Identity who, string xid, Action<XaSteps, Xid> step)
    {
        Authorize(who, Permission.Manage);
        Xid name = Xid.Parse(xid)
            ?? throw new BrokerException(BrokerError.InvalidField, $"'{xid}' is no transaction's name; see the list");
        if (who.AddressSpace is not null && List(who).All(view => view.Xid != xid))
        {
            throw new BrokerException(BrokerError.NotFound, $"there is no branch {xid}");
        }

        var wake = new Wake();
        using BrokerClient client = _broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "$operator", Protocol = "" }, wake);
        try
        {
            step(client.Xa, name);
        }
        catch (XaException refusal)
        {
            throw new BrokerException(ErrorOf(refusal.Code), refusal.Message);
        }

        for (Task woken = wake.Arm(); !client.Linger(); woken = wake.Arm())
        {
            client.Flush();
            if (!_services.Options.OwnThreads)
            {
                _services.Journal.Flush();
                _services.StreamServices.Store.Flush();
            }

            await woken.ConfigureAwait(false);
        }

        await DurableWait.Until(_services.Journal, _services.Journal.TailPosition).ConfigureAwait(false);
        if (_services.Xa.Durable().Prepared.Any(branch => branch.Xid.Equals(name) && branch.State == XaState.Prepared))
        {
            throw new BrokerException(BrokerError.Unavailable, "the disk takes nothing now: the branch is as it was");
        }
    }

    private static BrokerError ErrorOf(XaCode code) => code switch
    {
        XaCode.Unknown => BrokerError.NotFound,
        XaCode.Retry => BrokerError.Unavailable,
        _ => BrokerError.PreconditionFailed,
    };

    private void Authorize(Identity who, Permission permission) => _services.Authorizer.Authorize(
        who, permission, who.AddressSpace ?? AddressSpaces.DefaultName, new AddressName("#", null));

    /// <summary>Completes a task when the client is to look again.</summary>
    private sealed class Wake : IWakeable
    {
        private TaskCompletionSource _woken = New();

        /// <summary>Completes with the next wake from now on.</summary>
        public Task Arm()
        {
            TaskCompletionSource next = New();
            Volatile.Write(ref _woken, next);
            return next.Task;
        }

        void IWakeable.Wake() => Volatile.Read(ref _woken).TrySetResult();

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
