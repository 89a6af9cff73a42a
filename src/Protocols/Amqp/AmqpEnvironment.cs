using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What all AMQP connections of a node share. Immutable, thread-safe.</summary>
internal sealed class AmqpEnvironment(MessageBroker broker, AmqpOptions options, TimeProvider time, ILogger logger)
{
    public MessageBroker Broker { get; } = broker;

    public AmqpOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; init; } = SystemRandom.Instance;
}
