using System.Text;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Router;
using Xunit;

namespace Pillarbox.Hosting.Tests.Dialing;

/// <summary>A node, such as one with one connector, and what it says.</summary>
internal sealed class NodeLogs : ILoggerProvider, IAsyncDisposable
{
    private readonly StringBuilder _text = new();
    private ILoggerFactory _factory = null!;
    private PillarboxNode? _node;

    /// <summary>All that was said so far.</summary>
    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>The node.</summary>
    public PillarboxNode Node => _node!;

    public static Task<NodeLogs> StartAsync(string id, RouterMode mode, ConnectorConfig connector) => StartAsync(
        new PillarboxConfig
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["amqp"] = new ListenerConfig { Addresses = ["127.0.0.1:0"] },
            },
            Router = new RouterSection
            {
                Id = id,
                Mode = mode,
                Connectors = new Dictionary<string, ConnectorConfig> { ["out"] = connector },
            },
        });

    /// <param name="config">The node, which is in memory.</param>
    public static async Task<NodeLogs> StartAsync(PillarboxConfig config)
    {
        var logs = new NodeLogs();
        logs._factory = LoggerFactory.Create(builder => builder.AddProvider(logs));
        logs._node = await PillarboxNode.StartAsync(
            config with { DataDirectory = PillarboxConfig.InMemory },
            new NodeSeams { LoggerFactory = logs._factory });
        return logs;
    }

    /// <summary>Waits until the node has said something.</summary>
    public async Task SaysAsync(string words)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!Text.Contains(words, StringComparison.Ordinal))
        {
            Assert.False(patience.IsCancellationRequested, $"nothing of '{words}' in\n{Text}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Line(this);

    public void Dispose()
    {
        // The node is what is to be stopped.
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        _factory.Dispose();
    }

    private sealed class Line(NodeLogs logs) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (logs._text)
            {
                logs._text.AppendLine(formatter(state, exception));
            }
        }
    }
}
