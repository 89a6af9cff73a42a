using Microsoft.Extensions.Logging;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>What is logged of one module of a router, in its own names.</summary>
/// <param name="Module">The module, or <c>DEFAULT</c>.</param>
/// <param name="Enabled">The levels that are written; null: as <c>DEFAULT</c>.</param>
/// <param name="OutputFile">Where to; null: standard error.</param>
public sealed record RouterConfLog(string Module, IReadOnlySet<RouterLogLevel>? Enabled, string? OutputFile)
{
    /// <summary>Whether lines begin with their time; null: as <c>DEFAULT</c>, and that does.</summary>
    public bool? HasTime { get; init; }

    /// <summary>The modules that there are.</summary>
    public static readonly IReadOnlyList<string> Modules =
    [
        "ROUTER", "ROUTER_CORE", "ROUTER_HELLO", "ROUTER_LS", "ROUTER_MA", "MESSAGE", "SERVER", "AGENT", "AUTHSERVICE",
        "CONTAINER", "ERROR", "POLICY", "HTTP", "CONN_MGR", "PYTHON", "PROTOCOL", "TCP_ADAPTOR", "HTTP_ADAPTOR",
        "DEFAULT",
    ];

    internal static RouterConfLog Read(EntityReader reader)
    {
        string module = reader.Require("module");
        if (!Modules.Contains(module))
        {
            throw reader.Fault($"there is no module '{module}'; there are {string.Join(", ", Modules)}");
        }

        const string Time = "includeTimestamp";
        return new RouterConfLog(module, Levels(reader), reader.Text("outputFile") is "stderr" ? null
            : reader.Text("outputFile"))
        {
            HasTime = reader.Has(Time) ? reader.Truth(Time)
                : reader.Has("timestamp") ? reader.Truth("timestamp") : null,
        };
    }

    /// <summary>The severity of a line that the node logs.</summary>
    public static RouterLogLevel LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => RouterLogLevel.Trace,
        LogLevel.Debug => RouterLogLevel.Debug,
        LogLevel.Information => RouterLogLevel.Info,
        LogLevel.Warning => RouterLogLevel.Warning,
        LogLevel.Error => RouterLogLevel.Error,
        _ => RouterLogLevel.Critical,
    };

    // "info+" is that level and all above; "none" is nothing; "default" says what DEFAULT says.
    private static HashSet<RouterLogLevel>? Levels(EntityReader reader)
    {
        var levels = new HashSet<RouterLogLevel>();
        foreach (string word in (reader.Text("enable") ?? "default").Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (word.Equals("default", StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }

            if (word.Equals("none", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            bool andAbove = word.EndsWith('+');
            if (!Enum.TryParse(word.TrimEnd('+'), ignoreCase: true, out RouterLogLevel least)
                || char.IsAsciiDigit(word[0]))
            {
                throw reader.Fault($"'enable' must hold levels such as info+ or debug, not '{word}'");
            }

            levels.UnionWith(andAbove ? Enum.GetValues<RouterLogLevel>().Where(level => level >= least) : [least]);
        }

        return levels;
    }
}

/// <summary>Severities of a router's log, the least first.</summary>
public enum RouterLogLevel
{
    /// <summary>Every frame.</summary>
    Trace,

    /// <summary>For those who hunt faults.</summary>
    Debug,

    /// <summary>Ordinary.</summary>
    Info,

    /// <summary>Ordinary, and rare.</summary>
    Notice,

    /// <summary>Something may be wrong.</summary>
    Warning,

    /// <summary>Something failed.</summary>
    Error,

    /// <summary>The router cannot go on.</summary>
    Critical,
}
