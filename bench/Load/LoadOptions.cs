using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Pillarbox.Load.Rows;

namespace Pillarbox.Load;

/// <summary>What a run measures. Immutable.</summary>
internal sealed record LoadOptions
{
    public required IReadOnlyList<ILoadRow> Rows { get; init; }

    public int Runs { get; init; } = 5;

    public double DurationSeconds { get; init; } = 10;

    public IReadOnlyList<string> Peers { get; init; } =
        ["pillarbox", "rabbitmq", "rabbitmq-streams", "activemq", "mosquitto", "nats", "relay", "qdrouterd"];

    public bool Install { get; init; }

    /// <summary>The pillarbox that is measured, and that measures AMQP servers.</summary>
    public string Program { get; init; } = FindProgram();

    public string? Report { get; init; }

    /// <summary>The command as given, for the report.</summary>
    public string Command { get; init; } = "";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out LoadOptions? options, out string error)
    {
        var rows = new List<ILoadRow>();
        options = new LoadOptions { Rows = rows, Command = $"./do.cs bench load {string.Join(' ', args)}".TrimEnd() };
        error = "";
        for (int i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                rows.AddRange(LoadRows.All.Where(r => r.Name == args[i]));
                error = rows.Any(r => r.Name == args[i]) ? error : $"there is no row {args[i]}: see --help";
                continue;
            }
            string value = args[i] == "--install" ? "" : i + 1 < args.Length ? args[++i] : "";
            options = args[i - (value.Length > 0 ? 1 : 0)] switch
            {
                "--install" => options with { Install = true },
                "--runs" => options with { Runs = int.Parse(value, CultureInfo.InvariantCulture) },
                "--duration" => options with { DurationSeconds = double.Parse(value, CultureInfo.InvariantCulture) },
                "--peers" => options with { Peers = value.Split(',') },
                "--program" => options with { Program = Path.GetFullPath(value) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                var unknown => Unknown(options, unknown, ref error),
            };
        }
        if (rows.Count == 0)
        {
            rows.AddRange(LoadRows.All.Where(r => !r.IsLong));
        }
        return error.Length == 0;
    }

    private static LoadOptions Unknown(LoadOptions options, string flag, ref string error)
    {
        error = $"unknown option {flag}: see --help";
        return options;
    }

    private static string FindProgram()
    {
        string artifacts = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));
        string packed = Path.Combine(artifacts, "linux-x64", "pillarbox");
        return File.Exists(packed)
            ? packed : Path.Combine(artifacts, "bin", "Pillarbox.Server", "release", "pillarbox");
    }
}
