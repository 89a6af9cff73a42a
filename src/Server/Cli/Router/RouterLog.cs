using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Server.Cli.Router;

/// <summary>
/// Writes log lines in the form of <c>qdrouterd</c>: <c>date time ZONE MODULE (level) text</c>, the modules and levels
/// that its configuration asks for. Thread-safe.
/// </summary>
internal sealed class RouterLog : ILoggerProvider, ILogRules
{
    private const string Default = "DEFAULT";

    /// <summary>Lines that are kept for who asks for them.</summary>
    private const int LatestMax = 500;

    /// <summary>What the node calls its rooms, and what they are called there; the first that fits counts.</summary>
    private static readonly (string Category, string Module)[] ModulesOfRooms =
    [
        ("Pillarbox.Router.LinkState", "ROUTER_LS"),
        ("Pillarbox.Router", "ROUTER"),
        ("Pillarbox.Protocols.Amqp", "PROTOCOL"),
        ("Pillarbox.Console", "AGENT"),
        ("Pillarbox.Security", "POLICY"),
        ("Microsoft.AspNetCore", "HTTP"),
    ];

    private readonly Lock _gate = new();
    private readonly TextWriter _standard;
    private readonly Dictionary<string, TextWriter> _files = [];
    private readonly ConcurrentDictionary<(string Module, RouterLogLevel Level), long> _counts = new();
    private volatile ImmutableDictionary<string, RouterConfLog> _rules =
        ImmutableDictionary<string, RouterConfLog>.Empty;
    private readonly TimeProvider _time;
    private readonly Queue<LogLine> _latest = [];

    public RouterLog(IReadOnlyList<RouterConfLog> rules, TextWriter standard, TimeProvider time)
    {
        _standard = standard;
        _time = time;
        foreach (RouterConfLog rule in rules)
        {
            Set(rule);
        }
    }

    /// <inheritdoc/>
    public RouterConfLog? RuleOf(string module) => _rules.GetValueOrDefault(module);

    /// <inheritdoc/>
    public void Set(RouterConfLog rule)
    {
        lock (_gate)
        {
            if (rule.OutputFile is { } path && !_files.ContainsKey(path))
            {
                _files.Add(path, CommandFiles.Append(path));
            }

            _rules = _rules.SetItem(rule.Module, rule);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<LogLine> Latest
    {
        get
        {
            lock (_gate)
            {
                return [.. _latest];
            }
        }
    }

    /// <inheritdoc/>
    public long CountOf(string module, RouterLogLevel level) => _counts.GetValueOrDefault((module, level));

    public ILogger CreateLogger(string categoryName) => new ModuleLogger(this, ModuleOf(categoryName));

    /// <summary>Writes one line, when it is asked for.</summary>
    public void Write(string module, RouterLogLevel level, string text)
    {
        if (!IsOn(module, level))
        {
            return;
        }

        _counts.AddOrUpdate((module, level), 1, static (_, count) => count + 1);
        DateTimeOffset now = _time.GetUtcNow();
        string said = text.ReplaceLineEndings(" ");
        string time = HasTime(module)
            ? string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-dd HH:mm:ss.ffffff} +0000 ") : "";
        lock (_gate)
        {
            if (_latest.Count == LatestMax)
            {
                _latest.Dequeue();
            }

            _latest.Enqueue(new LogLine(now.ToUnixTimeSeconds(), module, NameOf(level), said));
            TextWriter writer = WriterOf(module);
            writer.WriteLine($"{time}{module} ({NameOf(level)}) {said}");
            writer.Flush();
        }
    }

    public void Dispose()
    {
        foreach (TextWriter file in _files.Values)
        {
            file.Dispose();
        }
    }

    private static string NameOf(RouterLogLevel level) => level.ToString().ToLowerInvariant();

    private static string ModuleOf(string category) =>
        Array.Find(ModulesOfRooms, room => category.StartsWith(room.Category, StringComparison.Ordinal)).Module
        ?? "SERVER";

    private bool IsOn(string module, RouterLogLevel level) =>
        (_rules.GetValueOrDefault(module)?.Enabled ?? _rules.GetValueOrDefault(Default)?.Enabled) is { } enabled
            ? enabled.Contains(level) : level >= RouterLogLevel.Info;

    private bool HasTime(string module) =>
        _rules.GetValueOrDefault(module)?.HasTime ?? _rules.GetValueOrDefault(Default)?.HasTime ?? true;

    private TextWriter WriterOf(string module) =>
        (_rules.GetValueOrDefault(module)?.OutputFile ?? _rules.GetValueOrDefault(Default)?.OutputFile) is { } path
            ? _files[path] : _standard;

    private sealed class ModuleLogger(RouterLog log, string module) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log.IsOn(module, RouterConfLog.LevelOf(logLevel));

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            log.Write(module, RouterConfLog.LevelOf(logLevel), exception is null ? text : $"{text}: {exception}");
        }
    }
}
