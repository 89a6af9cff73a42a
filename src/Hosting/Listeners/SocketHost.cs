#pragma warning disable ASPDEPR008 // the builder's interface names a type that is obsolete
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Kestrel's sockets without a web application around them, for nodes that speak no HTTP: configuration, routing and
/// what else comes with one are not loaded. As a builder it only collects what is put into it.
/// </summary>
internal sealed class SocketHost : IWebHostBuilder, IAsyncDisposable
{
    private ServiceProvider? _provider;
    private IServer? _server;

    public SocketHost(ILoggerFactory logs)
    {
        Services.AddSingleton(logs);
        Services.AddOptions();
        Services.AddSingleton<IMeterFactory, Meters>();
        var diagnostics = new DiagnosticListener("Microsoft.AspNetCore");
        Services.AddSingleton(diagnostics);
        Services.AddSingleton<DiagnosticSource>(diagnostics);
    }

    /// <summary>What the server is made of.</summary>
    public ServiceCollection Services { get; } = [];

    /// <summary>Binds the sockets.</summary>
    public Task StartAsync()
    {
        _provider = Services.BuildServiceProvider();
        _server = _provider.GetRequiredService<IServer>();
        return _server.StartAsync(new NoRequests(), CancellationToken.None);
    }

    /// <summary>Stops listening and ends what is still connected when <paramref name="cancellation"/> fires.</summary>
    public Task StopAsync(CancellationToken cancellation) => _server?.StopAsync(cancellation) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _server?.Dispose();
        await (_provider?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    IWebHost IWebHostBuilder.Build() => throw new NotSupportedException();

    IWebHostBuilder IWebHostBuilder.ConfigureAppConfiguration(
        Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) => this;

    IWebHostBuilder IWebHostBuilder.ConfigureServices(Action<IServiceCollection> configureServices)
    {
        configureServices(Services);
        return this;
    }

    IWebHostBuilder IWebHostBuilder.ConfigureServices(
        Action<WebHostBuilderContext, IServiceCollection> configureServices)
    {
        configureServices(new WebHostBuilderContext(), Services);
        return this;
    }

    string? IWebHostBuilder.GetSetting(string key) => null;

    IWebHostBuilder IWebHostBuilder.UseSetting(string key, string? value) => this;

    // No listener speaks HTTP.
    private sealed class NoRequests : IHttpApplication<object>
    {
        public object CreateContext(IFeatureCollection contextFeatures) => throw new NotSupportedException();

        public Task ProcessRequestAsync(object context) => throw new NotSupportedException();

        public void DisposeContext(object context, Exception? exception)
        {
        }
    }

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(static meter => meter.Dispose());
    }
}
