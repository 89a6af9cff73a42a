using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>The classes that share a node run one after the other: two cores are not many.</summary>
[CollectionDefinition(nameof(SharedNode))]
public sealed class SharedNodeCollection : ICollectionFixture<SharedNode>;

/// <summary>
/// One node for all scenarios that use queues of their own names. Every test asserts in the end that it still runs:
/// a client may end its connection, never the node.
/// </summary>
public sealed class SharedNode : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();

    internal PillarboxProcess Node { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        string config = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, Configuration);
        Node = await PillarboxProcess.StartAsync(_directory.File("data"), "--config", config);
    }

    public async ValueTask DisposeAsync()
    {
        if (Node is not null) await Node.DisposeAsync();
        _directory.Dispose();
    }

    internal void AssertAlive() => Assert.False(Node.HasExited, Node.Output);

    /// <summary>Addresses "dead.*" send their dead letters to "letters", after three attempts.</summary>
    internal const string DeadLetterAddress = "letters";

    internal const int AttemptsMax = 3;

    private static readonly string Configuration = $$"""
        {
          // what the scenarios of dead letters want
          "addressSettings": {
            "dead.#": { "deadLetterAddress": "{{DeadLetterAddress}}", "maxDeliveryAttempts": {{AttemptsMax}} }
          }
        }
        """;
}
