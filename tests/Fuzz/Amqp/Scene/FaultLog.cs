using Microsoft.Extensions.Logging;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>Keeps errors that are logged: an engine that blames itself has failed. Warnings are kept beside
/// them.</summary>
internal sealed class FaultLog : ILoggerFactory, ILogger
{
    public List<string> Errors { get; } = [];

    public List<string> Warnings { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            List<string> kept = logLevel >= LogLevel.Error ? Errors : Warnings;
            kept.Add($"{formatter(state, exception)} {exception}");
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
    }
}
