using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;

namespace Pillarbox.Broker.Management;

/// <summary>
/// Everything an operator sees and does. Any thread; views are immutable copies. Operations check the identity's
/// permissions and throw
/// <see cref="BrokerException"/> on refusal.
/// </summary>
public sealed class BrokerManagement
{
    private readonly MessageBroker _broker;
    private readonly BrokerServices _services;
    private readonly BindingJournal _bindings;

    internal BrokerManagement(MessageBroker broker, BrokerServices services, BindingJournal bindings)
    {
        _broker = broker;
        _services = services;
        _bindings = bindings;
    }

    public Task<NodeView> GetNodeAsync() => throw new NotImplementedException();

    public Task<IReadOnlyList<QueueView>> ListQueuesAsync(Identity who, string space) =>
        throw new NotImplementedException();

    public Task<QueueView?> FindQueueAsync(Identity who, string space, string queue) =>
        throw new NotImplementedException();

    public Task<IReadOnlyList<AddressView>> ListAddressesAsync(Identity who, string space) =>
        throw new NotImplementedException();

    public Task<IReadOnlyList<ConnectionView>> ListConnectionsAsync(Identity who) =>
        throw new NotImplementedException();

    public Task<IReadOnlyList<ConsumerView>> ListConsumersAsync(Identity who, string space, string? queue) =>
        throw new NotImplementedException();

    /// <summary>Looks at up to <paramref name="max"/> messages from the head, without consuming.</summary>
    public Task<IReadOnlyList<MessageView>> BrowseAsync(
        Identity who, string space, string queue, int max, string? selector) =>
        throw new NotImplementedException();

    /// <summary>Removes all messages that no consumer holds; returns how many, when that is on disk.</summary>
    public Task<long> PurgeAsync(Identity who, string space, string queue) => throw new NotImplementedException();

    public Task CreateQueueAsync(Identity who, string space, QueueConfig config) => throw new NotImplementedException();

    public Task DeleteQueueAsync(Identity who, string space, string queue, bool ifUnused) =>
        throw new NotImplementedException();

    /// <summary>A paused queue takes messages but delivers none. Kept over restarts.</summary>
    public Task SetPausedAsync(Identity who, string space, string queue, bool paused) =>
        throw new NotImplementedException();

    /// <summary>Asks a connection to close.</summary>
    public Task CloseConnectionAsync(Identity who, string connectionId) => throw new NotImplementedException();

    public Task DeleteAddressAsync(Identity who, string space, string address) => throw new NotImplementedException();
}
