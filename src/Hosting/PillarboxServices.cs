using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting;

/// <summary>Puts a node into any generic host.</summary>
public static class PillarboxServices
{
    /// <summary>
    /// Adds a node that starts and stops with the host, on listeners of its own: the host need not be a web host. The
    /// running node is
    /// <see cref="PillarboxService.Node"/>.
    /// </summary>
    public static IServiceCollection AddPillarbox(
        this IServiceCollection services, Action<PillarboxOptions>? configure = null)
    {
        var options = new PillarboxOptions();
        configure?.Invoke(options);
        services.AddSingleton(provider => new PillarboxService(
            options.Build(), SeamsOf(options, provider.GetService<ILoggerFactory>())));
        services.AddHostedService(provider => provider.GetRequiredService<PillarboxService>());
        return services;
    }

    private static NodeSeams SeamsOf(PillarboxOptions options, ILoggerFactory? logs) =>
        options.Seams.LoggerFactory is NullLoggerFactory && logs is not null
            ? options.Seams with { LoggerFactory = logs }
            : options.Seams;
}

/// <summary>A node as a part of a host's life: started with it, drained and stopped with it.</summary>
public sealed class PillarboxService : IHostedService, IAsyncDisposable
{
    private readonly PillarboxConfig _config;
    private readonly NodeSeams _seams;
    private PillarboxNode? _node;

    internal PillarboxService(PillarboxConfig config, NodeSeams seams) => (_config, _seams) = (config, seams);

    /// <summary>
    /// The running node. Throws <see cref="InvalidOperationException"/> before the host has started it.
    /// </summary>
    public PillarboxNode Node => _node ?? throw new InvalidOperationException("the host has not started the node");

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken) =>
        _node = await PillarboxNode.StartAsync(_config, _seams);

    /// <summary>Asks clients to close, waits for them a bounded time, closes listeners and data.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _node?.StopAsync() ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;
}
