using Microsoft.Extensions.Logging;

namespace Pillarbox.Simulation.Tests;

/// <summary>The node's log: an error in it, a fault of the node's own, is a finding unless the disk was made to
/// fail.</summary>
internal sealed class SimLog(Predicate<string> isExpected) : ILoggerFactory, ILogger
{
    /// <summary>The first error that should not be there; told at the next step, for whoever logs catches
    /// everything.</summary>
    public string? Finding { get; private set; }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && !isExpected($"{formatter(state, exception)} {exception?.Message}"))
        {
            Finding ??= $"the node logs an error: {formatter(state, exception)} {exception}";
        }
    }

    public void Dispose()
    {
    }
}
